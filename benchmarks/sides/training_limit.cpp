// What training an image takes at least: a row of weights added for each spike and a row of gradients on the way back,
// and two variables of each neuron multiplied by constants at each step, forward and backward. Nothing else: no
// threshold, no lists of spikes, no loss.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

typedef REAL real;

static void add(real* __restrict to, const real* __restrict row, int n)
{
    for (int j = 0; j < n; j++) to[j] += row[j];
}

static void step(real* __restrict v, real* __restrict i, int n, real a, real b, real c)
{
    for (int j = 0; j < n; j++)
    {
        v[j] = a*v[j] + b*i[j];
        i[j] *= c;
    }
}

int main(int, char** given)
{
    const int inputs = atoi(given[1]), hidden = atoi(given[2]), outputs = atoi(given[3]), steps = atoi(given[4]);
    const int spikes = atoi(given[5]), hidden_spikes = atoi(given[6]), images = atoi(given[7]);
    std::vector<real> first((size_t) inputs*hidden, real(0.1)), last((size_t) hidden*outputs, real(0.1));
    std::vector<real> by_first(first.size()), by_last(last.size());
    std::vector<real> v(hidden), i(hidden), w(outputs), k(outputs);
    unsigned random = 1;
    const std::clock_t begin = std::clock();
    for (int image = 0; image < images; image++)
        for (int back = 0; back < 2; back++)
        {
            for (int n = 0; n < steps; n++)
            {
                step(v.data(), i.data(), hidden, real(0.9), real(0.1), real(0.8));
                step(w.data(), k.data(), outputs, real(0.9), real(0.1), real(0.8));
            }
            for (int s = 0; s < spikes; s++)
            {
                random = random*1664525 + 1013904223;
                const size_t row = (size_t) (random >> 8) % inputs*hidden;
                if (back) add(&by_first[row], i.data(), hidden);
                else add(i.data(), &first[row], hidden);
            }
            for (int s = 0; s < hidden_spikes; s++)
            {
                random = random*1664525 + 1013904223;
                const size_t row = (size_t) (random >> 8) % hidden*outputs;
                if (back) add(&by_last[row], k.data(), outputs);
                else add(k.data(), &last[row], outputs);
            }
        }
    const double seconds = double(std::clock() - begin)/CLOCKS_PER_SEC;
    real sum = 0;
    for (real x : by_first) sum += x;
    std::printf("%.9f %g\n", seconds/images, double(sum));
}
