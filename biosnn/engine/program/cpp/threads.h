// The work of a time step, divided between threads by neurons. Each neuron's part is done in the same order whatever the
// division, so that results are the same for any number of threads.
#ifndef BIOSNN_THREADS_H
#define BIOSNN_THREADS_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace biosnn
{
// What is done for the neurons from `first` on that come before `last`.
typedef void (*Part)(std::size_t first, std::size_t last);

// How many threads there are: BIOSNN_THREADS of the environment, 1 if there is none.
std::size_t threads();

// Calls `part` for each two neighbours of `bounds`, one thread each, and returns when all are done.
void in_parallel(const std::vector<std::size_t> &bounds, Part part);

// Calls `part` for about as many neurons in each thread, or for all at once where these are few. The first neurons of a
// part are at multiples of 128: where a loop is made of vector instructions, the same ones are left over for its end,
// which does not always round as they do.
void in_equal_parts(std::size_t neurons, Part part);

template <class Index> inline bool before(Index target, std::size_t neuron)
{
    return (std::size_t) target < neuron;
}

// Bounds between which about equally many synapses have their targets, from a sample of the targets.
template <class Index>
std::vector<std::size_t> parts_by_synapses(std::size_t neurons, const Index *targets, std::size_t synapses)
{
    const std::size_t parts = threads(), stride = synapses / 65536 + 1;
    std::vector<Index> sample;
    for (std::size_t k = 0; parts > 1 && k < synapses; k += stride)
        sample.push_back(targets[k]);
    std::sort(sample.begin(), sample.end());
    std::vector<std::size_t> bounds(1, 0);
    for (std::size_t k = 1; k < parts && !sample.empty(); k++)
    {
        const std::size_t bound = sample[k * sample.size() / parts] / 16 * 16;
        if (bound > bounds.back())
            bounds.push_back(bound);
    }
    bounds.push_back(neurons);
    return bounds;
}

// Narrows the places `begin` to `end` of targets that ascend to those of the neurons of a part.
template <class Index>
inline void within(const Index *targets, std::size_t first, std::size_t last, std::size_t neurons, std::int64_t &begin, std::int64_t &end)
{
    if (first > 0)
        begin = std::lower_bound(targets + begin, targets + end, first, before<Index>) - targets;
    if (last < neurons)
        end = std::lower_bound(targets + begin, targets + end, last, before<Index>) - targets;
}
}

#endif
