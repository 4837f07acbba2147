// What delivering spikes costs at least: the loops over synapses and nothing else, one thread.
//
// limit KIND NEURONS OUTDEGREE DELAYS SPIKES STEPS: in each step, SPIKES neurons spike, chosen at random, of which each
// reaches about OUTDEGREE others. Synapses of a neuron lie one after the other, in order of their delays and then of
// their targets, so that those of one delay are a run.
//   one      one weight for all synapses; DELAYS is 1
//   each     a weight and a delay for each synapse
//   plastic  as each, and a spike lowers the weights that it comes by and raises those of the synapses to its neuron

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

static uint64_t state = 88172645463325252ull;

static double uniform()
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return ((state >> 11) + 0.5) / 9007199254740992.0;
}

struct Synapses
{
    int neurons, delays;
    std::vector<int64_t> begin;    // of each neuron's runs: neurons*delays + 1
    std::vector<int32_t> targets;
    std::vector<double> weights;
    std::vector<int64_t> arrivals; // where a neuron's incoming synapses begin, with their sources and places
    std::vector<int32_t> sources, places;

    Synapses(int neurons, int outdegree, int delays, bool weighted, bool incoming) : neurons(neurons), delays(delays)
    {
        const double chance = std::min(1.0, double(outdegree) / delays / neurons);
        const double scale = chance < 1 ? 1 / std::log(1 - chance) : 0;
        targets.reserve(int64_t(1.01 * neurons * outdegree) + 1000);
        for (int64_t run = 0; run < int64_t(neurons) * delays; run++)
        {
            begin.push_back(targets.size());
            for (int64_t target = scale * std::log(uniform()); target < neurons; target += 1 + int64_t(scale * std::log(uniform())))
                targets.push_back(target);
        }
        begin.push_back(targets.size());
        if (weighted)
            weights.assign(targets.size(), 1.0);
        if (incoming)
            list_incoming();
    }

    void list_incoming()
    {
        arrivals.assign(neurons + 1, 0);
        for (int32_t target : targets)
            arrivals[target + 1]++;
        for (int k = 0; k < neurons; k++)
            arrivals[k + 1] += arrivals[k];
        std::vector<int64_t> next(arrivals.begin(), arrivals.end() - 1);
        sources.resize(targets.size());
        places.resize(targets.size());
        for (int source = 0; source < neurons; source++)
            for (int64_t s = begin[int64_t(source) * delays]; s < begin[int64_t(source + 1) * delays]; s++)
            {
                const int64_t place = next[targets[s]]++;
                sources[place] = source;
                places[place] = s;
            }
    }
};

int main(int, char **argv)
{
    const bool each = std::strcmp(argv[1], "one") != 0, plastic = std::strcmp(argv[1], "plastic") == 0;
    const int neurons = std::atoi(argv[2]), delays = std::atoi(argv[4]), spikes = std::atoi(argv[5]), steps = std::atoi(argv[6]);
    Synapses synapses(neurons, std::atoi(argv[3]), delays, each, plastic);
    const int period = std::max(delays, 2000); // steps after which the same neurons spike
    std::vector<std::vector<int32_t>> sent(period, std::vector<int32_t>(spikes));
    for (auto &now : sent)
        for (int32_t &neuron : now)
            neuron = uniform() * neurons;
    std::vector<double> input(neurons, 0.0), before(neurons, 1e-6), after(neurons, 1e-6);
    double *__restrict x = input.data(), *__restrict w = synapses.weights.data();
    const double *y = before.data(), *z = after.data();
    const int32_t *__restrict targets = synapses.targets.data();
    int64_t events = 0;
    const std::clock_t began = std::clock();
    for (int step = 0; step < steps; step++)
    {
        for (int delay = 0; delay < delays; delay++)
            for (int32_t neuron : sent[(step + period - delay) % period])
            {
                const int64_t run = int64_t(neuron) * delays + delay;
                const int64_t first = synapses.begin[run], last = synapses.begin[run + 1];
                events += last - first;
                if (plastic)
                    for (int64_t s = first; s < last; s++)
                    {
                        x[targets[s]] += w[s];
                        w[s] = std::min(std::max(w[s] - y[targets[s]], 0.0), 2.0);
                    }
                else if (each)
                    for (int64_t s = first; s < last; s++)
                        x[targets[s]] += w[s];
                else
                    for (int64_t s = first; s < last; s++)
                        x[targets[s]] += 0.1;
            }
        if (plastic)
            for (int32_t neuron : sent[step % period])
            {
                events += synapses.arrivals[neuron + 1] - synapses.arrivals[neuron];
                for (int64_t k = synapses.arrivals[neuron]; k < synapses.arrivals[neuron + 1]; k++)
                {
                    const int32_t s = synapses.places[k];
                    w[s] = std::min(std::max(w[s] + z[synapses.sources[k]], 0.0), 2.0);
                }
            }
    }
    const double spent = double(std::clock() - began) / CLOCKS_PER_SEC;
    double sum = 0;
    for (double value : input)
        sum += value;
    std::printf("benchmark seconds %.9f\nbenchmark events %lld\nbenchmark sum %.17g\n", spent, (long long)events, sum);
}
