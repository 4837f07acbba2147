// The least that inhibition of a whole layer can cost: one addition a neuron and step.

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

int main(int, char **argv)
{
    const int neurons = std::atoi(argv[1]), steps = std::atoi(argv[2]);
    std::vector<double> g(neurons, 0.0);
    const std::clock_t begin = std::clock();
    for (int step = 0; step < steps; step++)
    {
        const double all = 17.0 * (step % 3);
        double *__restrict x = g.data();
        for (int k = 0; k < neurons; k++)
            x[k] += all;
        asm volatile("" : : "r"(x) : "memory"); // each step for itself
    }
    const double spent = double(std::clock() - begin) / CLOCKS_PER_SEC;
    double sum = 0;
    for (double value : g)
        sum += value;
    std::printf("benchmark seconds %.9f\nbenchmark total %.17g\n", spent, sum);
}
