// The additions of a 3x3 convolution, 64 -> 64 channels on 32x32 pixels, for given spikes: what the machine can do.
// One spike after another, as a simulator gets them; or, told "pixel", the spikes of a pixel together, their sums in
// registers, which only works when nothing but the sum is wanted.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <vector>

const int size = 32, channels = 64, taps = 3;
typedef double Part __attribute__((vector_size(64), aligned(8)));
const int parts = 4, width = parts * sizeof(Part) / sizeof(double);

template <typename T> std::vector<T> read(const char *path)
{
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    std::vector<T> values(file.tellg() / sizeof(T));
    file.seekg(0);
    file.read(reinterpret_cast<char *>(values.data()), values.size() * sizeof(T));
    return values;
}

// Calls `add(first weight of the tap, first sum of the pixel it leads to)` for each tap of the kernel.
template <typename Add> void each_tap(int pixel, const double *kernel, double *x, Add add)
{
    for (int a = 0; a < taps; a++)
    {
        const int row = pixel / size + 1 - a;
        if (row < 0 || row >= size)
            continue;
        for (int b = 0; b < taps; b++)
        {
            const int column = pixel % size + 1 - b;
            if (column >= 0 && column < size)
                add(kernel + (a * taps + b) * channels * channels, x + (row * size + column) * channels);
        }
    }
}

void one_by_one(const int32_t *spike, const int32_t *end, const double *kernel, double *x)
{
    for (; spike < end; spike++)
        each_tap(*spike / channels, kernel, x, [=](const double *tap, double *__restrict sums) {
            const double *__restrict weights = tap + *spike % channels * channels;
            for (int c = 0; c < channels; c++)
                sums[c] += weights[c];
        });
}

void by_pixel(const int32_t *spike, const int32_t *end, const double *kernel, double *x)
{
    while (spike < end)
    {
        const int pixel = *spike / channels;
        const int32_t *last = spike;
        while (last < end && *last / channels == pixel)
            last++;
        each_tap(pixel, kernel, x, [=](const double *tap, double *sums) {
            for (int c = 0; c < channels; c += width)
            {
                Part *to = reinterpret_cast<Part *>(sums + c);
                Part sum[parts] = {to[0], to[1], to[2], to[3]};
                for (const int32_t *one = spike; one < last; one++)
                {
                    const Part *weights = reinterpret_cast<const Part *>(tap + *one % channels * channels + c);
                    for (int p = 0; p < parts; p++)
                        sum[p] += weights[p];
                }
                for (int p = 0; p < parts; p++)
                    to[p] = sum[p];
            }
        });
        spike = last;
    }
}

int main(int, char **argv)
{
    const std::vector<int32_t> file = read<int32_t>(argv[1]);
    const std::vector<double> kernel = read<double>(argv[2]);
    const int period = std::atoi(argv[3]), steps = std::atoi(argv[4]);
    const int32_t *starts = file.data(), *neurons = starts + period + 1;
    std::vector<double> x(size * size * channels, 0.0);
    const auto additions = std::strcmp(argv[5], "pixel") ? one_by_one : by_pixel;

    const std::clock_t begin = std::clock();
    for (int step = 0; step < steps; step++)
        additions(neurons + starts[step % period], neurons + starts[step % period + 1], kernel.data(), x.data());
    const double spent = double(std::clock() - begin) / CLOCKS_PER_SEC;

    double sum = 0;
    for (size_t k = 0; k < x.size(); k++)
        sum += (1 + k % 7) * x[k];
    std::printf("benchmark seconds %.9f\nbenchmark total %.17g\n", spent, sum);
}
