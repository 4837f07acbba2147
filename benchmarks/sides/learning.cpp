// The network of learning.py written by hand, without delays: what a careful programmer gets for these equations.
// Double precision; synaptic traces on neurons; one number drawn for each input spike; inhibition as total minus own.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <vector>

const int inputs = 784, cells = 400;
const int period = 1000, shown = 700; // steps of 0.5 ms
const double dt = 0.5e-3;

std::mt19937_64 generator(1);
double uniform() { return std::generate_canonical<double, 53>(generator); }

struct Cells
{
    double v[cells], ge[cells], gi[cells];
    int free_from[cells]; // the step at which a neuron is no longer refractory
    int spikes[cells], count;
};

// One step of Euler's method for a layer; then the neurons above their threshold. `ready`: the step from which each may
// spike.
template <typename Threshold>
void update(Cells &c, int now, double tau, double rest, double e_inh, const int *ready, Threshold threshold)
{
    for (int j = 0; j < cells; j++)
    {
        const double slope = (rest - c.v[j] - c.ge[j] * c.v[j] + c.gi[j] * (e_inh - c.v[j])) * (dt / tau);
        c.v[j] += now >= c.free_from[j] ? slope : 0.0;
        c.ge[j] *= 1 - dt / 1e-3;
        c.gi[j] *= 1 - dt / 2e-3;
    }
    c.count = 0;
    for (int j = 0; j < cells; j++)
        if (c.v[j] > threshold(j) && now >= ready[j])
            c.spikes[c.count++] = j;
}

int main(int, char **argv)
{
    const int images = std::atoi(argv[2]);
    std::vector<uint8_t> grey(images * inputs);
    std::ifstream(argv[1], std::ios::binary).read(reinterpret_cast<char *>(grey.data()), grey.size());

    static double w[inputs][cells], theta[cells], sum[cells];
    static double x[inputs], y[cells], z[cells];                // traces
    static double wait[inputs], next[inputs];                   // steps
    static int arrived[inputs], silent_until[cells];
    static Cells exc, inh;
    for (auto &row : w)
        for (double &weight : row)
            weight = 0.3 * (uniform() + 0.01);
    for (int j = 0; j < cells; j++)
    {
        theta[j] = 20e-3;
        exc.v[j] = -105e-3;
        inh.v[j] = -100e-3;
        silent_until[j] = 100;
    }
    const double decay20 = std::exp(-dt / 20e-3), decay40 = std::exp(-dt / 40e-3), decay_theta = 1 - dt / 1e4;
    long input_spikes = 0, answers = 0;

    const std::clock_t begin = std::clock();
    for (int now = 0; now < images * period; now++)
    {
        const int place = now % period;
        if (place == 0)
        {
            const uint8_t *image = &grey[now / period * inputs];
            for (int i = 0; i < inputs; i++)
            {
                wait[i] = image[i] ? 1 / std::log(1 - image[i] / 4.0 * dt) : -1e18;
                next[i] = now + wait[i] * std::log(uniform());
            }
            std::fill(sum, sum + cells, 0.0);
            for (int i = 0; i < inputs; i++)
                for (int j = 0; j < cells; j++)
                    sum[j] += w[i][j];
            for (int j = 0; j < cells; j++)
                sum[j] = 78 / sum[j];
            for (int i = 0; i < inputs; i++)
                for (int j = 0; j < cells; j++)
                    w[i][j] *= sum[j];
        }
        for (int i = 0; i < inputs; i++)
            x[i] *= decay20;
        for (int j = 0; j < cells; j++)
        {
            y[j] *= decay20;
            z[j] *= decay40;
            theta[j] *= decay_theta;
        }
        update(exc, now, 100e-3, -65e-3, -100e-3, silent_until, [](int j) { return theta[j] - 72e-3; });
        update(inh, now, 10e-3, -60e-3, -85e-3, inh.free_from, [](int) { return -40e-3; });

        int count = 0;
        if (place < shown)
            for (int i = 0; i < inputs; i++)
                if (now >= next[i])
                {
                    arrived[count++] = i;
                    next[i] = now + wait[i] * std::log(uniform());
                }
        for (int k = 0; k < count; k++)
        {
            double *__restrict row = w[arrived[k]];
            for (int j = 0; j < cells; j++)
            {
                exc.ge[j] += row[j];
                row[j] = std::min(std::max(row[j] - 1e-4 * y[j], 0.0), 1.0);
            }
            x[arrived[k]] = 1;
        }
        for (int k = 0; k < exc.count; k++)
        {
            const int j = exc.spikes[k];
            const double change = 1e-2 * z[j];
            for (int i = 0; i < inputs; i++)
                w[i][j] = std::min(std::max(w[i][j] + change * x[i], 0.0), 1.0);
            y[j] = z[j] = 1;
            inh.ge[j] += 10.4;
            exc.v[j] = -65e-3;
            theta[j] += 0.05e-3;
            exc.free_from[j] = now + 10;
            silent_until[j] = now + 101;
        }
        if (inh.count)
        {
            const double all = 17.0 * inh.count;
            for (int j = 0; j < cells; j++)
                exc.gi[j] += all;
            for (int k = 0; k < inh.count; k++)
            {
                const int j = inh.spikes[k];
                exc.gi[j] -= 17.0;
                inh.v[j] = -45e-3;
                inh.free_from[j] = now + 4;
            }
        }
        input_spikes += count;
        answers += exc.count;
    }
    const double spent = double(std::clock() - begin) / CLOCKS_PER_SEC;
    std::printf("benchmark seconds %.9f\nbenchmark inputs %ld\nbenchmark answers %ld\n", spent, input_spikes,
                answers);
}
