#include "network.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace
{
// Arrays begin where a vector register's worth of memory does, so that loading one touches one line of the cache. Large
// ones begin with a large page of memory: where a spike's synapses lie far apart, the processor else spends more time on
// finding pages than on the synapses.
const std::size_t line = 64, large_page = 2 << 20;

void *allocate(std::size_t size)
{
    void *memory = nullptr;
    const bool large = size >= 2*large_page;
    if (posix_memalign(&memory, large ? large_page : line, size ? size : 1))
        throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    if (large)
        madvise(memory, size, MADV_HUGEPAGE);
#endif
    return memory;
}
}

void *operator new(std::size_t size)
{
    return allocate(size);
}

void *operator new[](std::size_t size)
{
    return allocate(size);
}

void operator delete(void *memory) noexcept
{
    std::free(memory);
}

void operator delete[](void *memory) noexcept
{
    std::free(memory);
}

double Network::_last_run_time = 0.0;
double Network::_last_run_completed_fraction = 0.0;
bool Network::_globally_stopped = false;
bool Network::_globally_running = false;
int Network::runs = 0;

namespace
{
// Two clocks are at the same step when their times differ by less than this (seconds).
const double same_time = 1e-14;

double wall_time()
{
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

// Tells the reader of the standard output how far the run is, five times a second. The time is looked up only every
// so many steps, a number that adapts, since a small network takes less time for a step than a clock for an answer.
class Progress
{
    static int runs;
    const double begin;
    double said;
    long period, left;

public:
    Progress() : begin(wall_time()), said(begin), period(1), left(1) { runs++; }

    double elapsed() const { return wall_time() - begin; }

    void step(double fraction)
    {
        if (--left > 0)
            return;
        const double before = said, now = wall_time();
        if (now - before >= 0.2)
        {
            say(fraction);
            said = now;
            period = std::max(1L, period / 4);
        }
        else if (now - before < 0.02)
            period = std::min(2 * period, 1L << 20);
        left = period;
    }

    void say(double fraction) const
    {
        std::printf("biosnn-progress %d %.6f\n", runs, fraction);
        std::fflush(stdout);
    }
};

int Progress::runs = 0;
}

void Network::clear()
{
    objects.clear();
    clocks.clear();
}

void Network::add(BaseClock *clock, codeobj_func function)
{
    if (std::find(clocks.begin(), clocks.end(), clock) == clocks.end())
        clocks.push_back(clock);
    if (function)
        objects.push_back(std::make_pair(clock, function));
}

BaseClock *Network::earliest() const
{
    return *std::min_element(clocks.begin(), clocks.end(), [](BaseClock *a, BaseClock *b) { return a->t[0] < b->t[0]; });
}

void Network::run(double duration)
{
    const double start = t, end = t + duration;
    runs++;
    for (BaseClock *clock : clocks)
    {
        clock->set_interval(start, end);
        // The network's time may have been set since the last run; a clock that follows a list of times knows.
        if (Clock *regular = dynamic_cast<Clock *>(clock))
            regular->t[0] = regular->timestep[0] * regular->dt[0];
    }

    Progress progress;
    _globally_running = true;
    _globally_stopped = false;
    // For each object the place of its clock.
    std::vector<size_t> place;
    for (const auto &object : objects)
        place.push_back(std::find(clocks.begin(), clocks.end(), object.first) - clocks.begin());
    std::vector<char> due(clocks.size());
    while (!clocks.empty())
    {
        BaseClock *const now = earliest();
        if (!now->running() || _globally_stopped)
            break;
        t = now->t[0];
        for (size_t k = 0; k < clocks.size(); k++)
            due[k] = std::fabs(clocks[k]->t[0] - t) <= same_time;
        for (size_t k = 0; k < objects.size(); k++)
            if (due[place[k]])
                objects[k].second();
        for (size_t k = 0; k < clocks.size(); k++)
            if (due[k])
                clocks[k]->tick();
        progress.step((t - start) / duration);
    }
    _globally_running = false;

    if (!_globally_stopped)
        t = end;
    _last_run_time = progress.elapsed();
    _last_run_completed_fraction = duration > 0 ? (t - start) / duration : 1.0;
    progress.say(_last_run_completed_fraction);
}
