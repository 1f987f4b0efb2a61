create table numbers(n, square);
with recursive counter(i) as (select 1 union all select i + 1 from counter where i < 1000)
insert into numbers select i, hex(i * i) from counter;
select count(*), sum(n), max(length(square)) from numbers;
