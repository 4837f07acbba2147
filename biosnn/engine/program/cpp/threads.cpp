#include "threads.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace
{
// Threads that wait for the next piece of work. A step of a network is short: they look for it in a loop, some
// microseconds by themselves, then a millisecond letting others run, before they sleep.
class Pool
{
    enum { looks = 1000, yields = 2000 };
    std::atomic<unsigned> piece{0};
    std::atomic<std::size_t> unfinished{0};
    std::atomic<int> asleep{0};
    std::mutex mutex;
    std::condition_variable woken;
    const std::vector<std::size_t> *bounds = nullptr;
    biosnn::Part part = nullptr;

    static void pause(int look)
    {
        if (look >= looks)
            return std::this_thread::yield();
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
    }

    void work(std::size_t thread)
    {
        for (unsigned seen = 0;; seen++)
        {
            for (int look = 0; look < looks + yields && piece.load(std::memory_order_acquire) == seen; look++)
                pause(look);
            if (piece.load(std::memory_order_acquire) == seen)
            {
                std::unique_lock<std::mutex> lock(mutex);
                asleep++;
                woken.wait(lock, [&] { return piece.load() != seen; });
                asleep--;
            }
            if (thread + 1 < bounds->size())
                part((*bounds)[thread], (*bounds)[thread + 1]);
            unfinished.fetch_sub(1, std::memory_order_release);
        }
    }

public:
    explicit Pool(std::size_t threads)
    {
        for (std::size_t thread = 1; thread < threads; thread++)
            std::thread([this, thread] { work(thread); }).detach();
    }

    void run(const std::vector<std::size_t> &given_bounds, biosnn::Part given_part)
    {
        bounds = &given_bounds;
        part = given_part;
        unfinished.store(biosnn::threads() - 1);
        piece++;
        if (asleep.load() > 0)
        {
            std::lock_guard<std::mutex> lock(mutex);
            woken.notify_all();
        }
        part((*bounds)[0], (*bounds)[1]);
        for (int look = 0; unfinished.load(std::memory_order_acquire) != 0; look += look < looks)
            pause(look);
    }
};
}

std::size_t biosnn::threads()
{
    static const char *given = std::getenv("BIOSNN_THREADS");
    static const long asked = given ? std::atol(given) : 1;
    return asked > 1 ? asked : 1;
}

void biosnn::in_parallel(const std::vector<std::size_t> &bounds, Part part)
{
    if (bounds.size() == 2)
        return part(bounds[0], bounds[1]);
    static Pool *const pool = new Pool(threads()); // never deleted: its threads wait for work until the program ends
    pool->run(bounds, part);
}

void biosnn::in_equal_parts(std::size_t neurons, Part part)
{
    const std::size_t unit = 128, fewest = 16 * unit, units = (neurons + unit - 1) / unit;
    const std::size_t parts = std::min(threads(), neurons / fewest);
    if (parts < 2)
        return part(0, neurons);
    std::vector<std::size_t> bounds;
    for (std::size_t k = 0; k < parts; k++)
        bounds.push_back(k * units / parts * unit);
    bounds.push_back(neurons);
    in_parallel(bounds, part);
}
