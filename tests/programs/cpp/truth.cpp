// Every operator new and delete, and containers, with exact books.
//
// The containers draw from Counted, a standard allocator that keeps the ledger and else does as
// std::allocator does: only it knows how large a map's node or a shared_ptr's block is.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "../c/ledger.h"

// Tells the optimiser that the block is used: C++ lets it drop a new with its delete otherwise.
static void *escape(void *block) {
    asm volatile("" : : "r"(block) : "memory");
    return block;
}

template <typename T> struct Counted {
    using value_type = T;
    Counted() = default;
    template <typename U> Counted(const Counted<U> &) {}

    T *allocate(std::size_t n) {
        ledger_add(n * sizeof(T));
        return static_cast<T *>(escape(::operator new(n * sizeof(T))));
    }
    void deallocate(T *block, std::size_t n) {
        ledger_remove(n * sizeof(T));
        ::operator delete(block);
    }
    template <typename U> bool operator==(const Counted<U> &) const { return true; }
    template <typename U> bool operator!=(const Counted<U> &) const { return false; }
};

using String = std::basic_string<char, std::char_traits<char>, Counted<char>>;
using Vector = std::vector<int, Counted<int>>;
using Map = std::map<int, String, std::less<int>, Counted<std::pair<const int, String>>>;

struct Plain {
    int values[10];
};

// With a destructor, so that new[] puts the count before the elements.
struct Guarded {
    int value = 7;
    ~Guarded() { value = 0; }
};

struct alignas(64) Wide {
    char bytes[192];
};

static void check_alignment(const void *block) {
    if (reinterpret_cast<std::uintptr_t>(block) % 64 != 0) abort();
}

__attribute__((noinline)) static void single_objects() {
    for (int i = 0; i < 20; i++) {
        auto *object = new Plain{};
        escape(object);
        ledger_add(sizeof(Plain));
        if (i % 4 == 0) continue; // 5 leaked
        ledger_remove(sizeof(Plain));
        delete object;
    }
}

__attribute__((noinline)) static void arrays() {
    for (std::size_t i = 1; i <= 12; i++) {
        auto *plain = new char[i * 50];
        escape(plain);
        ledger_add(i * 50);
        auto *guarded = new Guarded[i];
        escape(guarded);
        std::size_t with_count = sizeof(std::size_t) + i * sizeof(Guarded);
        ledger_add(with_count);
        if (i % 3 == 0) continue; // 4 pairs leaked
        ledger_remove(i * 50);
        delete[] plain;
        ledger_remove(with_count);
        delete[] guarded;
    }
}

__attribute__((noinline)) static void over_aligned() {
    for (int i = 0; i < 6; i++) {
        auto *wide = new Wide;
        check_alignment(escape(wide));
        ledger_add(sizeof(Wide));
        auto *wides = new Wide[2];
        check_alignment(escape(wides));
        ledger_add(2 * sizeof(Wide));
        if (i == 0) continue; // 1 pair leaked
        ledger_remove(sizeof(Wide));
        delete wide;
        ledger_remove(2 * sizeof(Wide));
        delete[] wides;
    }
}

__attribute__((noinline)) static void without_exceptions() {
    for (std::size_t i = 0; i < 5; i++) {
        void *block = ::operator new(300 + i, std::nothrow);
        escape(block);
        ledger_add(300 + i);
        auto *array = new (std::nothrow) short[40];
        escape(array);
        ledger_add(40 * sizeof(short));
        ledger_remove(40 * sizeof(short));
        delete[] array;
        if (i == 2) continue; // 1 leaked
        ledger_remove(300 + i);
        ::operator delete(block, std::nothrow);
    }
}

// The sized forms, by name: whether a compiler calls them for a plain delete is its own choice.
__attribute__((noinline)) static void sized() {
    void *block = ::operator new(77);
    escape(block);
    ledger_add(77);
    ledger_remove(77);
    ::operator delete(block, std::size_t{77});
    void *array = ::operator new[](78);
    escape(array);
    ledger_add(78);
    ledger_remove(78);
    ::operator delete[](array, std::size_t{78});
    void *aligned = ::operator new(640, std::align_val_t{128});
    escape(aligned);
    ledger_add(640);
    ledger_remove(640);
    ::operator delete(aligned, std::size_t{640}, std::align_val_t{128});
}

struct Node {
    std::shared_ptr<Node> other;
    int value = 0;
};

__attribute__((noinline)) static void containers() {
    Vector growing;
    for (int i = 0; i < 1000; i++) growing.push_back(i);

    Map freed;
    for (int i = 0; i < 50; i++) freed[i] = String(static_cast<std::size_t>(i), 'x');

    // The object itself by malloc, its contents by Counted; neither is ever destroyed.
    auto *forgotten = new (escape(malloc(sizeof(Map)))) Map;
    ledger_add(sizeof(Map));
    for (int i = 0; i < 30; i++) (*forgotten)[i] = String(static_cast<std::size_t>(i * 3), 'y');
    for (int i = 0; i < 10; i++) forgotten->erase(i);

    auto first = std::allocate_shared<Node>(Counted<Node>());
    auto second = std::allocate_shared<Node>(Counted<Node>());
    auto third = std::allocate_shared<Node>(Counted<Node>());
    first->other = second;
    second->other = first; // The cycle: both stay. The third goes.
    third->other = second;
}

int main() {
    single_objects();
    arrays();
    over_aligned();
    without_exceptions();
    sized();
    containers();
    delete static_cast<Plain *>(nullptr);
    ledger_tell();
    return 0;
}
