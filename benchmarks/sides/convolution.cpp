// The additions of a 3x3 convolution, 64 -> 64 channels on 32x32 pixels, for given spikes: what the machine can do.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <vector>

const int size = 32, channels = 64, taps = 3;

template <typename T> std::vector<T> read(const char *path)
{
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    std::vector<T> values(file.tellg() / sizeof(T));
    file.seekg(0);
    file.read(reinterpret_cast<char *>(values.data()), values.size() * sizeof(T));
    return values;
}

int main(int, char **argv)
{
    const std::vector<int32_t> file = read<int32_t>(argv[1]);
    const std::vector<double> kernel = read<double>(argv[2]);
    const int period = std::atoi(argv[3]), steps = std::atoi(argv[4]);
    const int32_t *starts = file.data(), *neurons = starts + period + 1;
    std::vector<double> x(size * size * channels, 0.0);

    const std::clock_t begin = std::clock();
    for (int step = 0; step < steps; step++)
        for (int k = starts[step % period]; k < starts[step % period + 1]; k++)
        {
            const int channel = neurons[k] % channels, pixel = neurons[k] / channels;
            const int row = pixel / size, column = pixel % size;
            for (int a = 0; a < taps; a++)
            {
                const int to_row = row + 1 - a;
                if (to_row < 0 || to_row >= size)
                    continue;
                for (int b = 0; b < taps; b++)
                {
                    const int to_column = column + 1 - b;
                    if (to_column < 0 || to_column >= size)
                        continue;
                    const double *__restrict weights = &kernel[((a * taps + b) * channels + channel) * channels];
                    double *__restrict sums = &x[(to_row * size + to_column) * channels];
                    for (int c = 0; c < channels; c++)
                        sums[c] += weights[c];
                }
            }
        }
    const double spent = double(std::clock() - begin) / CLOCKS_PER_SEC;

    double sum = 0;
    for (size_t k = 0; k < x.size(); k++)
        sum += (1 + k % 7) * x[k];
    std::printf("benchmark seconds %.9f\nbenchmark total %.17g\n", spent, sum);
}
