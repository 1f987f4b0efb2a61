// C++'s own ways to hold and to lose: one scenario an argument.
//
// A pointer to a base class that is not the first, and the one that new[] answers for objects with
// destructors, point into their blocks: without another, the blocks are possibly lost.
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "../c/kinds.h"

// A standard allocator that states what it allocates as `state_as`, for only it knows the size of
// a map's node.
static kind state_as = REACHABLE;

template <typename T> struct Stated {
    using value_type = T;
    Stated() = default;
    template <typename U> Stated(const Stated<U> &) {}

    T *allocate(std::size_t n) {
        state(state_as, n * sizeof(T));
        return static_cast<T *>(escape(::operator new(n * sizeof(T))));
    }
    void deallocate(T *block, std::size_t n) {
        unstate(state_as, n * sizeof(T));
        ::operator delete(block);
    }
    template <typename U> bool operator==(const Stated<U> &) const { return true; }
    template <typename U> bool operator!=(const Stated<U> &) const { return false; }
};

using String = std::basic_string<char, std::char_traits<char>, Stated<char>>;
using Vector = std::vector<int, Stated<int>>;
using Map = std::map<int, String, std::less<int>, Stated<std::pair<const int, String>>>;

struct Plain {
    int values[10];
};

// With a destructor, so that new[] puts the count before the elements.
struct Guarded {
    int value = 7;
    void *beside = nullptr;
    ~Guarded() { value = 0; }
};

struct Named {
    virtual ~Named() = default;
    int name = 1;
};

struct Sized {
    virtual ~Sized() = default;
    int size = 2;
};

struct Both : Named, Sized {
    int rest[5] = {};
};

static void *volatile root[8];
static Sized *volatile second_base;
static Named *volatile first_base;
static Guarded *volatile array;

template <typename T> static T *made(enum kind kind, T *object) {
    state(kind, sizeof(T));
    return static_cast<T *>(escape(object));
}

static Guarded *guarded(enum kind kind, std::size_t count) {
    state(kind, sizeof(std::size_t) + count * sizeof(Guarded));
    return static_cast<Guarded *>(escape(new Guarded[count]));
}

static void held() {
    root[0] = made(REACHABLE, new Plain{});
    root[1] = escape(new char[100]);
    state(REACHABLE, 100);
}

static void lost() {
    made(LOST, new Plain{});
    escape(new char[100]);
    state(LOST, 100);
    guarded(LOST, 5);
}

// Only what new[] answered is held, which is behind the count.
static void cookie() {
    array = guarded(POSSIBLE, 5);
    array[3].beside = escape(new char[70]);
    state(POSSIBLE, 70);
}

static void cookie_of_one() {
    array = guarded(POSSIBLE, 1);
}

// No destructor, no count: the answer is the block.
static void array_without_cookie() {
    root[0] = escape(new Plain[5]);
    state(REACHABLE, 5 * sizeof(Plain));
}

static void cookie_lost() {
    Guarded *objects = guarded(LOST, 5);
    objects[2].beside = made(INDIRECT, new Plain{});
    escape(objects);
}

static void by_second_base() {
    second_base = made(POSSIBLE, new Both);
}

static void by_first_base() {
    first_base = made(REACHABLE, new Both);
}

static void by_both_bases() {
    Both *object = made(REACHABLE, new Both);
    second_base = object;
    first_base = object;
}

struct Node {
    std::shared_ptr<Node> other;
    int value = 0;
};

// Two that own each other: of the ring, one is lost and the other hangs from it.
static void shared_cycle() {
    state_as = LOST;
    auto first = std::allocate_shared<Node>(Stated<Node>());
    state_as = INDIRECT;
    auto second = std::allocate_shared<Node>(Stated<Node>());
    first->other = second;
    second->other = first;
}

static void shared_freed() {
    auto first = std::make_shared<Node>();
    first->other = std::make_shared<Node>();
    auto again = first;
    escape(&again);
}

static void unique_released() {
    auto owner = std::make_unique<Plain>();
    made(LOST, owner.release());
}

static void fill(Map &map) {
    for (int i = 0; i < 30; i++) map[i] = String(static_cast<std::size_t>(i * 3), 'y');
}

// Whether a scenario has said all that there is to say.
static bool told = false;

// The root of the tree points back into the map, so that they are a ring of blocks of two sizes:
// which of them counts as the lost one is left open.
static void map_lost() {
    auto *map = made(INDIRECT, new Map);
    state_as = INDIRECT;
    fill(*map);
    escape(map);
    expect("definitely_lost+indirectly_lost", 2, stated(INDIRECT, 0), stated(INDIRECT, 1));
    expect("possibly_lost", 2, 0, 0);
    expect("still_reachable", 2, 0, 0);
    expect("verdict leak", 0, 0, 0);
    told = true;
}

static void map_held() {
    auto *map = made(REACHABLE, new Map);
    state_as = REACHABLE;
    fill(*map);
    root[0] = escape(map);
}

// A static's destructor runs at the end, and frees it all.
static void static_container() {
    static Map map;
    for (int i = 0; i < 30; i++) map[i] = String(static_cast<std::size_t>(i * 3), 'y');
    static Vector vector;
    for (int i = 0; i < 1000; i++) vector.push_back(i);
    memset(books, 0, sizeof books);
}

static void vector_held() {
    auto *vector = made(REACHABLE, new Vector);
    for (int i = 0; i < 1000; i++) vector->push_back(i);
    root[0] = escape(vector);
}

static void vector_of_lost() {
    std::vector<Plain *> pointers;
    for (int i = 0; i < 20; i++) pointers.push_back(made(LOST, new Plain{}));
    escape(&pointers);
}

// Each by its own door, and what may be deleted in more than one way.
static void allowed() {
    delete static_cast<Plain *>(escape(new Plain{}));
    delete[] static_cast<Guarded *>(escape(new Guarded[3]));
    delete[] static_cast<char *>(escape(new char[33]));
    ::operator delete(escape(::operator new(10)), std::size_t{10});
    ::operator delete(escape(::operator new(10, std::nothrow)));
    ::operator delete[](escape(::operator new[](10, std::nothrow)));
    ::operator delete(escape(::operator new(64, std::align_val_t{64})), std::align_val_t{64});
    delete static_cast<Named *>(escape(static_cast<Named *>(new Both)));
    Sized *by_second = new Both;
    delete static_cast<Sized *>(escape(by_second));
}

static const scenario all[] = {
    {"held", held},
    {"lost", lost},
    {"cookie", cookie},
    {"cookie_of_one", cookie_of_one},
    {"array_without_cookie", array_without_cookie},
    {"cookie_lost", cookie_lost},
    {"by_second_base", by_second_base},
    {"by_first_base", by_first_base},
    {"by_both_bases", by_both_bases},
    {"shared_cycle", shared_cycle},
    {"shared_freed", shared_freed},
    {"unique_released", unique_released},
    {"map_lost", map_lost},
    {"map_held", map_held},
    {"static_container", static_container},
    {"vector_held", vector_held},
    {"vector_of_lost", vector_of_lost},
    {"allowed", allowed},
};

int main(int argc, char **argv) {
    RUN(all, argc > 1 ? argv[1] : "allowed");
    state_arguments(argc, argv);
    if (!told) tell();
    return 0;
}
