{# How many spikes each neuron gets of its Poisson sources, and what they add.
   Random bits are a hash of key, step and neuron: SplitMix64 (Steele, Lea & Flood 2014), whose state is a counter. Most
   networks have few different means: for each of the first of them there is a table of the cumulative distribution,
   searched from a place that the first bits give, which takes hardly more than one comparison. Other small means are
   drawn by inversion, large ones by transformed rejection (Hoermann 1993, PTRS). All are exact up to the rounding of
   double precision. #}
{# USES_VARIABLES { N, dt, t_in_timesteps } #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
#include<cmath>
#include<vector>
#include "network.h"
#include "threads.h"
namespace { void _part_{{codeobj_name}}(size_t _begin, size_t _end); }
namespace {
struct _Draws
{
    enum { places = 1024, most_tables = 64, largest_mean = 1000 };
    struct Table
    {
        double mean;
        int64_t lowest;
        std::vector<uint64_t> below;
        std::vector<int32_t> begin;
        explicit Table(double mean): mean(mean), begin(places)
        {
            {# Twelve standard deviations and some more on either side: what lies beyond is below the last bit. #}
            const double wide = 12*std::sqrt(mean) + 20;
            lowest = std::max(0.0, std::floor(mean - wide));
            double sum = 0;
            for (int64_t k = lowest; k <= mean + 2*wide; k++)
            {
                sum += mean > 0 ? std::exp(k*std::log(mean) - mean - std::lgamma(k + 1.0)) : k == 0;
                below.push_back(sum < 1 ? (uint64_t) (sum*18446744073709551616.0) : UINT64_MAX);
            }
            below.push_back(UINT64_MAX);
            for (int place = 0, k = 0; place < places; place++)
            {
                while (below[k] <= ((uint64_t) place << 54) && below[k] != UINT64_MAX) k++;
                begin[place] = k;
            }
        }
        double count(uint64_t bits) const
        {
            int32_t k = begin[bits >> 54];
            while (bits >= below[k] && below[k] != UINT64_MAX) k++;
            return lowest + k;
        }
    };
    {# The table of a mean, or -1 if there is none. #}
    static int32_t table(std::vector<Table>& tables, double mean, bool made)
    {
        for (size_t k = 0; k < tables.size(); k++)
            if (tables[k].mean == mean) return k;
        if (!made || tables.size() == most_tables || !(mean <= largest_mean)) return -1;
        tables.push_back(Table(mean));
        return tables.size() - 1;
    }
    static uint64_t mix(uint64_t z)
    {
        z = (z ^ (z >> 30))*0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27))*0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    static double uniform(uint64_t bits) { return ((bits >> 11) + 0.5)*(1.0/9007199254740992.0); }
    static double inversion(double mean, double none, uint64_t bits)
    {
        double k = 0, p = none, sum = none;
        for (const double u = uniform(bits); u > sum && k < 200; sum += p) p *= mean/++k;
        return k;
    }
    static double any(double mean, uint64_t bits)
    {
        return mean < 10 ? inversion(mean, std::exp(-mean), bits) : rejection(mean, bits);
    }
    static double rejection(double mean, uint64_t bits)
    {
        const double root = std::sqrt(mean), b = 0.931 + 2.53*root, a = -0.059 + 0.02483*b;
        const double inverse = 1.1239 + 1.1328/(b - 3.4), squeeze = 0.9277 - 3.6224/(b - 2);
        while (true)
        {
            const double u = uniform(bits) - 0.5, v = uniform(mix(bits + 0x632be59bd9b4e019ULL));
            bits = mix(bits + 0x9e3779b97f4a7c15ULL);
            const double near = 0.5 - std::fabs(u), k = std::floor((2*a/near + b)*u + mean + 0.43);
            if (near >= 0.07 && v <= squeeze) return k;
            if (k < 0 || (near < 0.013 && v > near)) continue;
            if (std::log(v*inverse/(a/(near*near) + b)) <= k*std::log(mean) - mean - std::lgamma(k + 1)) return k;
        }
    }
};
std::vector<_Draws::Table> _tables;
{% if each["n"] or each["rate"] %}
{# Neurons in a row that have the same mean, with its table. They are looked for again when a mean has changed. #}
struct _Row { size_t begin, end; int32_t table; };
std::vector<_Row> _rows;
std::vector<double> _means;
int _run = 0;
{% else %}
double _mean, _before = -1;
int32_t _table;
{% endif %}
}
{% endblock %}

{% block maincode %}
{% set _n = get_array_name(variables['n']) %}
{% set _rate = get_array_name(variables['rate']) %}
{% set _key_of = get_array_name(variables['_key']) %}
{% set mean_here = "std::max(" ~ _n ~ "[" ~ ("_idx" if each['n'] else "0") ~ "]*" ~ _rate ~ "[" ~ ("_idx" if each['rate'] else "0") ~ "]*" ~ dt ~ ", 0.0)" %}
if ({{_key_of}}[0] == 0)
{
    const size_t _idx = 0, _vectorisation_idx = 0;
    {{scalar_code['key']|autoindent}}
    {{vector_code['key']|autoindent}}
    {{_key_of}}[0] = (((int64_t) (_first*2147483648.0)) << 32 | (int64_t) (_second*4294967296.0)) | 1;
}
{% if each["n"] or each["rate"] %}
_means.resize(N, -1.0);
{# Between runs anything may have been set. #}
int _changed = _run != Network::runs;
_run = Network::runs;
{% if changing %}
for (size_t _idx = 0; _idx < N; _idx++) _changed |= {{mean_here}} != _means[_idx];
{% endif %}
if (_changed)
{
    _rows.clear();
    for (size_t _idx = 0; _idx < N; _idx++)
    {
        _means[_idx] = {{mean_here}};
        {# From where on tables and inversion would give other numbers, all are drawn alike. #}
        if (_rows.empty() || _means[_idx] != _means[_idx - 1])
            _rows.push_back({_idx, _idx, _Draws::table(_tables, _means[_idx], _means[_idx] < 10)});
        _rows.back().end = _idx + 1;
    }
}
{% else %}
{# A mean that changes in every step needs no table. #}
_mean = std::max({{_n}}[0]*{{_rate}}[0]*{{dt}}, 0.0);
if (_tables.size() == _Draws::most_tables) _tables.clear();
_table = _Draws::table(_tables, _mean, _mean == _before);
_before = _mean;
{% endif %}
{% if divisible %}
biosnn::in_equal_parts(N, _part_{{codeobj_name}});
{% else %}
_part_{{codeobj_name}}(0, N);
{% endif %}
{% endblock %}

{% block extra_functions_cpp %}
{% macro draw(count) %}
const size_t _vectorisation_idx = _idx;
const uint64_t _bits = _Draws::mix(_start + (_idx + 1)*0x9e3779b97f4a7c15ULL);
const double _count = {{count}};
{{vector_code['draw']|autoindent}}
{% endmacro %}
namespace { void _part_{{codeobj_name}}(size_t _begin, size_t _end)
{
using namespace brian;
%CONSTANTS%
{{pointers_lines|autoindent}}
{# A neuron's numbers are the same however many others there are. #}
const uint64_t _start = _Draws::mix({{get_array_name(variables['_key'])}}[0]) + ((uint64_t) {{t_in_timesteps}} << 32)*0x9e3779b97f4a7c15ULL;
const size_t _vectorisation_idx = -1;
{{scalar_code['draw']|autoindent}}
{% if each["n"] or each["rate"] %}
for (size_t _row = 0; _row < _rows.size(); _row++)
{
    const size_t _row_begin = std::max(_begin, _rows[_row].begin), _row_end = std::min(_end, _rows[_row].end);
    if (_rows[_row].table < 0)
    {
        for (size_t _idx = _row_begin; _idx < _row_end; _idx++)
        {
            {{draw("_Draws::any(_means[_idx], _bits)")}}
        }
        continue;
    }
    const _Draws::Table& _of_row = _tables[_rows[_row].table];
    for (size_t _idx = _row_begin; _idx < _row_end; _idx++)
    {
        {{draw("_of_row.count(_bits)")}}
    }
}
{% else %}
const double _mean_now = _mean;
const _Draws::Table* const _table_now = _table < 0 ? NULL : &_tables[_table];
for (size_t _idx = _begin; _idx < _end; _idx++)
{
    {{draw("_table_now ? _table_now->count(_bits) : _Draws::any(_mean_now, _bits)")}}
}
{% endif %}
} }
{% endblock %}
