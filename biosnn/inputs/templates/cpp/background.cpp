{# How many spikes each neuron gets of its Poisson sources, and what they add.
   Random bits are a hash of key, step and neuron: SplitMix64 (Steele, Lea & Flood 2014), whose state is a counter. Where
   all neurons have the same mean, a table is searched from a place that the first bits give, which takes hardly more than
   one comparison. Where means differ, small ones are drawn by inversion, large ones by transformed rejection (Hoermann
   1993, PTRS). All three are exact up to the rounding of double precision. #}
{# USES_VARIABLES { N, dt, t_in_timesteps } #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
#include<cmath>
#include<vector>
{% endblock %}

{% block maincode %}
{% set _n = get_array_name(variables['n']) %}
{% set _rate = get_array_name(variables['rate']) %}
{% set _key_of = get_array_name(variables['_key']) %}
struct _Draws
{
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
if ({{_key_of}}[0] == 0)
{
    const size_t _idx = 0, _vectorisation_idx = 0;
    {{scalar_code['key']|autoindent}}
    {{vector_code['key']|autoindent}}
    {{_key_of}}[0] = (((int64_t) (_first*2147483648.0)) << 32 | (int64_t) (_second*4294967296.0)) | 1;
}
{# A neuron's numbers are the same however many others there are. #}
const uint64_t _start = _Draws::mix({{_key_of}}[0]) + ((uint64_t) {{t_in_timesteps}} << 32)*0x9e3779b97f4a7c15ULL;
{
const size_t _vectorisation_idx = -1;
{{scalar_code['draw']|autoindent}}
{% if each['n'] or each['rate'] %}
static std::vector<double> _means, _nones;
_means.resize(N, 0.0);
_nones.resize(N, 1.0);
for (size_t _idx = 0; _idx < N; _idx++)
{
    const size_t _vectorisation_idx = _idx;
    const double _mean = std::max({{_n}}[{{'_idx' if each['n'] else 0}}]*{{_rate}}[{{'_idx' if each['rate'] else 0}}]*{{dt}}, 0.0);
    if (_mean != _means[_idx])
    {
        _means[_idx] = _mean;
        _nones[_idx] = std::exp(-_mean);
    }
    const uint64_t _bits = _Draws::mix(_start + (_idx + 1)*0x9e3779b97f4a7c15ULL);
    const double _count = _mean < 10 ? _Draws::inversion(_mean, _nones[_idx], _bits) : _Draws::rejection(_mean, _bits);
    {{vector_code['draw']|autoindent}}
}
{% else %}
const int _places = 1024;
static double _tabulated = -1;
static int64_t _lowest = 0;
static std::vector<uint64_t> _below;
static std::vector<int32_t> _begin(_places);
const double _mean = std::max({{_n}}[0]*{{_rate}}[0]*{{dt}}, 0.0);
if (_mean != _tabulated && _mean <= 1000)
{
    _tabulated = _mean;
    {# Twelve standard deviations and some more on either side: what lies beyond is below the last bit. #}
    const double _wide = 12*std::sqrt(_mean) + 20;
    _lowest = std::max(0.0, std::floor(_mean - _wide));
    _below.clear();
    double _sum = 0;
    for (int64_t _k = _lowest; _k <= _mean + 2*_wide; _k++)
    {
        _sum += _mean > 0 ? std::exp(_k*std::log(_mean) - _mean - std::lgamma(_k + 1.0)) : _k == 0;
        _below.push_back(_sum < 1 ? (uint64_t) (_sum*18446744073709551616.0) : UINT64_MAX);
    }
    _below.push_back(UINT64_MAX);
    for (int _place = 0, _k = 0; _place < _places; _place++)
    {
        while (_below[_k] <= ((uint64_t) _place << 54) && _below[_k] != UINT64_MAX) _k++;
        _begin[_place] = _k;
    }
}
const uint64_t* const _table = _below.data();
const int32_t* const _guide = _begin.data();
const bool _by_table = _mean <= 1000;
for (size_t _idx = 0; _idx < N; _idx++)
{
    const size_t _vectorisation_idx = _idx;
    const uint64_t _bits = _Draws::mix(_start + (_idx + 1)*0x9e3779b97f4a7c15ULL);
    double _count;
    if (_by_table)
    {
        int32_t _k = _guide[_bits >> 54];
        while (_bits >= _table[_k] && _table[_k] != UINT64_MAX) _k++;
        _count = _lowest + _k;
    }
    else _count = _Draws::rejection(_mean, _bits);
    {{vector_code['draw']|autoindent}}
}
{% endif %}
}
{% endblock %}
