// The networks of layers.py written by hand, in the same time steps: what a careful programmer gets for these equations.
// `maps IMAGES WEIGHTS COUNT`: contrast, feature maps that learn, pooling. `cells SPIKES WEIGHTS COUNT`: cells that learn
// from spikes that are known. Double precision; what an input does is one loop over what it reaches.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

const int side = 28, channels = 2, kernel = 7, maps = 64, pool = 4;
const int rows = side - kernel + 1, places = rows * rows, pooled_rows = rows / pool, pooled = pooled_rows * pooled_rows * maps;
const int cells = 1600, first = 20, later = 10, last = 2;
const double strength = 1.0, centre = 1.0, surround = 2.0, threshold = 2.0, eta_maps = 0.1, eta_cells = 0.2;
const double rise_maps = 0.02, rise_cells = 0.8;

template <typename T> std::vector<T> read(const char *path, size_t count)
{
    std::vector<T> found(count);
    std::ifstream(path, std::ios::binary).read(reinterpret_cast<char *>(found.data()), count * sizeof(T));
    return found;
}

void adapt(std::vector<double> &theta, std::vector<double> &won, double rise)
{
    double mean = 0;
    for (double each : won)
        mean += each;
    mean /= won.size();
    for (size_t k = 0; k < theta.size(); k++)
        theta[k] += rise * (won[k] - mean);
    std::fill(won.begin(), won.end(), 0.0);
}

// On- and off-centres: what each adds up in a time step.
void see(const uint8_t *image, std::vector<double> &drive)
{
    const int reach = std::ceil(1.5 * surround), size = 2 * reach + 1;
    static std::vector<double> kernel_of(size * size);
    static bool made = false;
    if (!made)
    {
        double sums[2] = {0, 0}, sd[2] = {centre, surround};
        for (int part = 0; part < 2; part++)
            for (int k = 0; k < size * size; k++)
                sums[part] += std::exp(-(std::pow(k / size - reach, 2) + std::pow(k % size - reach, 2)) / (2 * sd[part] * sd[part]));
        for (int k = 0; k < size * size; k++)
        {
            const double distance = std::pow(k / size - reach, 2) + std::pow(k % size - reach, 2);
            kernel_of[k] = std::exp(-distance / (2 * centre * centre)) / sums[0] - std::exp(-distance / (2 * surround * surround)) / sums[1];
        }
        made = true;
    }
    for (int row = 0; row < side; row++)
        for (int column = 0; column < side; column++)
        {
            double seen = 0;
            for (int k = 0; k < size * size; k++)
            {
                const int y = row + k / size - reach, x = column + k % size - reach;
                if (y >= 0 && y < side && x >= 0 && x < side)
                    seen += kernel_of[k] * image[y * side + x];
            }
            drive[2 * (row * side + column)] = strength * seen / 255;
            drive[2 * (row * side + column) + 1] = -strength * seen / 255;
        }
}

void learn_maps(const char *images, const char *weights, int count, long &answers, double &total)
{
    const auto grey = read<uint8_t>(images, size_t(count) * side * side);
    auto w = read<double>(weights, kernel * kernel * channels * maps);
    std::vector<double> drive(side * side * channels), seen(drive.size()), v(places * maps), theta(maps), won(maps), relay(pooled);
    std::vector<uint8_t> sent(drive.size()), taken(places);
    std::vector<int> winners, relayed;
    const double factor = std::pow(0.1 / 100, 1.0 / first);
    for (int image = 0; image < count; image++)
    {
        adapt(theta, won, rise_maps);
        see(&grey[size_t(image) * side * side], drive);
        std::fill(seen.begin(), seen.end(), 0.0);
        std::fill(v.begin(), v.end(), 0.0);
        std::fill(relay.begin(), relay.end(), 0.0);
        std::fill(sent.begin(), sent.end(), 0);
        std::fill(taken.begin(), taken.end(), 0);
        double u = -100;
        for (int step = 0; step < first + later + last; step++)
        {
            u *= factor;
            winners.clear();
            relayed.clear();
            for (int place = 0; place < places; place++)
            {
                if (taken[place])
                    continue;
                int best = -1;
                double height = -1e300;
                for (int map = 0; map < maps; map++)
                {
                    const double own = v[place * maps + map] - theta[map];
                    if (own > height && own + u > threshold)
                        height = own, best = map;
                }
                if (best >= 0)
                {
                    taken[place] = 1;
                    winners.push_back(place * maps + best);
                    won[best] += 1;
                }
            }
            for (int k = 0; k < pooled; k++)
                if (relay[k] > 0.5)
                    relay[k] = -1e6, relayed.push_back(k);
            answers += relayed.size();
            for (int input = 0; input < side * side * channels; input++)
            {
                seen[input] += drive[input];
                if (sent[input] || seen[input] <= 1)
                    continue;
                sent[input] = 1;
                const int row = input / channels / side, column = input / channels % side, channel = input % channels;
                for (int down = std::max(0, row - rows + 1); down <= std::min(kernel - 1, row); down++)
                    for (int right = std::max(0, column - rows + 1); right <= std::min(kernel - 1, column); right++)
                    {
                        double *__restrict to = &v[((row - down) * rows + column - right) * maps];
                        const double *__restrict from = &w[((down * kernel + right) * channels + channel) * maps];
                        for (int map = 0; map < maps; map++)
                            to[map] += from[map];
                    }
            }
            for (int winner : winners)
            {
                const int place = winner / maps, map = winner % maps, row = place / rows, column = place % rows;
                const double scale = 1 / std::max(v[winner], 1e-6);
                for (int k = 0; k < kernel * kernel * channels; k++)
                {
                    const int y = row + k / channels / kernel, x = column + k / channels % kernel;
                    double &own = w[k * maps + map];
                    own = std::min(std::max(own + eta_maps * (sent[(y * side + x) * channels + k % channels] * scale - own), 0.0), 10.0);
                }
                if (row / pool < pooled_rows && column / pool < pooled_rows)
                    relay[((row / pool) * pooled_rows + column / pool) * maps + map] += 1;
            }
        }
    }
    for (size_t k = 0; k < w.size(); k++)
        total += (1 + k % 7) * w[k];
}

void learn_cells(const char *spikes, const char *weights, int count, long &answers, double &total)
{
    std::ifstream file(spikes, std::ios::binary | std::ios::ate);
    const size_t all = file.tellg() / (2 * sizeof(int32_t));
    const auto listed = read<int32_t>(spikes, 2 * all); // step and neuron of each, sorted
    auto w = read<double>(weights, size_t(pooled) * cells);
    std::vector<double> v(cells), theta(cells), won(cells);
    std::vector<uint8_t> sent(pooled);
    const int period = first + later + last;
    const double factor = std::pow(1e4 / 1e-3, 1.0 / (first + later));
    size_t at = 0;
    for (int image = 0; image < count; image++)
    {
        adapt(theta, won, rise_cells);
        std::fill(v.begin(), v.end(), 0.0);
        std::fill(sent.begin(), sent.end(), 0);
        double u = 1e-3;
        bool taken = false;
        for (int step = 0; step < period; step++)
        {
            u *= factor;
            int best = -1;
            if (!taken)
            {
                double height = -1e300;
                for (int cell = 0; cell < cells; cell++)
                    if (v[cell] - theta[cell] > height && v[cell] - theta[cell] + u > 1e4)
                        height = v[cell] - theta[cell], best = cell;
            }
            for (; at < all && listed[2 * at] == image * period + step; at++)
            {
                const int input = listed[2 * at + 1];
                sent[input] = 1;
                const double *__restrict row = &w[size_t(input) * cells];
                for (int cell = 0; cell < cells; cell++)
                    v[cell] += row[cell];
            }
            if (best >= 0)
            {
                taken = true;
                answers++;
                won[best] += 1;
                const double scale = 1 / std::max(v[best], 1e-6);
                for (int input = 0; input < pooled; input++)
                {
                    double &own = w[size_t(input) * cells + best];
                    own = std::min(std::max(own + eta_cells * (sent[input] * scale - own), 0.0), 10.0);
                }
            }
        }
    }
    for (size_t k = 0; k < w.size(); k++)
        total += (1 + k % 7) * w[k];
}

int main(int, char **argv)
{
    long answers = 0;
    double total = 0;
    const std::clock_t begin = std::clock();
    (std::string(argv[1]) == "maps" ? learn_maps : learn_cells)(argv[2], argv[3], std::atoi(argv[4]), answers, total);
    const double seconds = double(std::clock() - begin) / CLOCKS_PER_SEC;
    std::cout.precision(17);
    std::cout << "benchmark seconds " << seconds << "\nbenchmark answers " << answers << "\nbenchmark total " << total << "\n";
}
