{# Random numbers that are a function of a key and of a place; see counter.py, which has the same in NumPy. #}
{# What synapses get that are stored, and those that are drawn at each spike, is to be the same to the last bit: no sum is put
   into another order, in whatever loop it is. #}
{% macro exactly() %}__attribute__((noinline, optimize("no-fast-math", "fp-contract=off"))){% endmacro %}

{% macro functions() %}
#include<algorithm>
#include<cmath>
#include<cstdint>
#include<cstdlib>
#include<vector>
namespace {
struct _Counter
{
    enum { layers = 128 };
    static uint64_t mix(uint64_t z)
    {
        z = (z ^ (z >> 30))*0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27))*0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    static uint64_t stream(uint64_t key, uint64_t stream, uint64_t attempt)
    {
        return mix(key + stream*0xd1342543de82ef95ULL + attempt*0xaf251af3b0f025b5ULL);
    }
    static uint64_t start(uint64_t of_stream, uint64_t neuron)
    {
        return mix(of_stream + (neuron + 1)*0x9e3779b97f4a7c15ULL);
    }
    static uint64_t bits(uint64_t start, uint64_t place) { return mix(start + (place + 1)*0x9e3779b97f4a7c15ULL); }
    static double uniform(uint64_t bits) { return ((bits >> 11) + 0.5)*(1.0/9007199254740992.0); }
    static int64_t below(uint64_t bits, uint64_t n)
    {
        return ((bits >> 32)*n + ((bits & 0xffffffffULL)*n >> 32)) >> 32;
    }
    // Whole numbers below n, of which there are many at a time: eight bits after the other.
    static void sort(std::vector<int32_t>& numbers, int64_t n)
    {
        if (numbers.size() < 64)
            return std::sort(numbers.begin(), numbers.end());
        static std::vector<int32_t> others;
        others.resize(numbers.size());
        for (int shift = 0; n >> shift > 0; shift += 8)
        {
            uint32_t begin[257] = {0};
            for (int32_t number : numbers) begin[((number >> shift) & 255) + 1]++;
            for (int k = 1; k < 257; k++) begin[k] += begin[k - 1];
            for (int32_t number : numbers) others[begin[(number >> shift) & 255]++] = number;
            numbers.swap(others);
        }
    }
    struct Ziggurat
    {
        double x[layers + 1], ratio[layers];
        Ziggurat()
        {
            const double area = 9.91256303526217e-3;
            double f = std::exp(-0.5*tail()*tail());
            x[0] = area/f;
            x[1] = tail();
            x[layers] = 0;
            for (int layer = 2; layer < layers; layer++)
            {
                x[layer] = std::sqrt(-2*std::log(area/x[layer - 1] + f));
                f = std::exp(-0.5*x[layer]*x[layer]);
            }
            for (int layer = 0; layer < layers; layer++) ratio[layer] = x[layer + 1]/x[layer];
        }
        static double tail() { return 3.442619855899; }
    };
    static double normal(uint64_t bits)
    {
        static const Ziggurat z;
        while (true)
        {
            const int layer = bits & (layers - 1);
            const double u = 2*uniform(bits) - 1, deviate = u*z.x[layer];
            if (std::fabs(u) < z.ratio[layer]) return deviate;
            bits = mix(bits + 0x632be59bd9b4e019ULL);
            if (layer == 0) return beyond(bits, u < 0);
            const double above = std::exp(-0.5*(z.x[layer]*z.x[layer] - deviate*deviate));
            const double under = std::exp(-0.5*(z.x[layer + 1]*z.x[layer + 1] - deviate*deviate));
            if (under + uniform(bits)*(above - under) < 1) return deviate;
            bits = mix(bits + 0x632be59bd9b4e019ULL);
        }
    }
    static double beyond(uint64_t bits, bool negative)
    {
        while (true)
        {
            const uint64_t second = mix(bits + 0x632be59bd9b4e019ULL);
            const double x = -std::log(uniform(bits))/Ziggurat::tail(), y = -std::log(uniform(second));
            if (2*y >= x*x) return negative ? -Ziggurat::tail() - x : Ziggurat::tail() + x;
            bits = mix(second + 0x632be59bd9b4e019ULL);
        }
    }
};
}
{% endmacro %}
