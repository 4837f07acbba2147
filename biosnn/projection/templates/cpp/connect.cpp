{# Draws the synapses of a random kind, once: what connects to what, the delays, by which the synapses of a source are
   sorted, and the index of those of a target. random/drawing.py does the same in NumPy. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
{% import 'counter.cpp' as counter %}
{{counter.functions()}}
#include<iostream>
#include "threads.h"
{% endblock %}

{% block maincode %}
{% import 'rows.cpp' as rows %}
{% macro list(name) %}{{get_array_name(lists['_list_' ~ name], access_data=False)}}{% endmacro %}
{% set key = get_array_name(lists._key) %}
{% set drawing, choices = (n.targets, n.sources) if kind.by_target else (n.sources, n.targets) %}
if ({{key}}[0] == 0)
{
    const size_t _idx = 0, _vectorisation_idx = 0;
    {{scalar_code['key']|autoindent}}
    {{vector_code['key']|autoindent}}
    {{key}}[0] = (((int64_t) (_first*2147483648.0)) << 32 | (int64_t) (_second*4294967296.0)) | 1;
}
{{rows.prepare(kind, n, key ~ "[0]", get_array_name(lists[kind.number]) if kind.number else "", streams.connectivity)}}
{% if kind.number == "p" %}
const bool _fits = _p >= 0 && _p <= 1;
const double _expected = _p*{{n.sources}}.0*{{n.targets}}.0;
{% elif kind.number == "k" %}
const int64_t _most = {{choices - (0 if kind.autapses or same is none else 1)}};
const bool _fits = _k >= 0 && (_k == 0 || _most > 0) && ({{"true" if kind.multapses else "_k <= _most"}});
const double _expected = _k*{{drawing}}.0;
{% elif not kind.number %}
const double _expected = 0;
const size_t _vectorisation_idx = -1;
{{scalar_code['chance']|autoindent}}
{% else %}
bool _fits = true;
double _expected = 0;
int64_t _n = 0;
for (int _block = 0; _block < {{lists.n.size}} && _fits; _block++)
{
    _n = {{get_array_name(lists.n)}}[_block];
    _fits = _n >= 0;
    _expected += _n;
}
{% endif %}
{% if kind.number %}
if (!_fits)
{
    std::cerr << "{{where}}: {{kind.number}} = " << _{{kind.number}} << " does not fit {{n.sources}} source and {{n.targets}} target neurons." << std::endl;
    std::exit(1);
}
{% endif %}
if (_expected + 8*std::sqrt(_expected) > 2147483647.0)
{
    std::cerr << "{{where}}: expected at most 2147483647 synapses (got about " << _expected << ")." << std::endl;
    std::exit(1);
}
{% if kind.rows_template == "fixed_total" %}
{% set ends = kind.populations(n.sources, n.targets)[0] %}
const int64_t _source_ends[] = { {{ends|join(", ")}} };
{% if computed %}
std::vector<int32_t>& _outdegrees = {{list('outdegrees')}};
{% else %}
std::vector<int32_t> _outdegrees;
{% endif %}
_outdegrees.assign({{n.sources}}*_target_populations, 0);
for (int _from = 0, _block = 0; _from < {{ends|length - 1}}; _from++)
    for (int _population = 0; _population < _target_populations; _population++, _block++)
    {
        const uint64_t _start = _Counter::start(_Counter::stream({{key}}[0], {{streams.outdegrees}}, 0), _block);
        const int64_t _neurons = _source_ends[_from + 1] - _source_ends[_from];
        for (int64_t _place = 0; _place < {{get_array_name(lists.n)}}[_block]; _place++)
            _outdegrees[(_source_ends[_from] + _Counter::below(_Counter::bits(_start, _place), _neurons))*_target_populations + _population]++;
    }
{% endif %}
{% if computed %}
{{get_array_name(lists.N)}}[0] = 0;
{% else %}
std::vector<int64_t>& _indptr = {{list('indptr')}};
std::vector<{{c_data_type(lists._list_indices.dtype)}}>& _indices = {{list('indices')}};
_indptr.assign({{n.sources}} + 1, 0);
{% if kind.by_target %}
for (int64_t _who = 0; _who < {{drawing}}; _who++)
{
    {{rows.row(kind, same, vector_code['chance'], n, where)}}
    for (size_t _k_ = 0; _k_ < _row.size(); _k_++) _indptr[_row[_k_] + 1]++;
}
for (int64_t _pre = 0; _pre < {{n.sources}}; _pre++) _indptr[_pre + 1] += _indptr[_pre];
{
    std::vector<int64_t> _next(_indptr.begin(), _indptr.end() - 1);
    _indices.resize(_indptr.back());
    for (int64_t _who = 0; _who < {{drawing}}; _who++)
    {
        {{rows.row(kind, same, vector_code['chance'], n, where)}}
        for (size_t _k_ = 0; _k_ < _row.size(); _k_++) _indices[_next[_row[_k_]]++] = _who;
    }
}
{% else %}
_indices.reserve((size_t) (_expected + 8*std::sqrt(_expected) + 64));
for (int64_t _who = 0; _who < {{drawing}}; _who++)
{
    {{rows.row(kind, same, vector_code['chance'], n, where)}}
    _indices.insert(_indices.end(), _row.begin(), _row.end());
    _indptr[_who + 1] = _indices.size();
}
{% endif %}
const int64_t _synapses = _indices.size();
if (_synapses > INT32_MAX)
{
    std::cerr << "{{where}}: expected at most 2147483647 synapses (got " << _synapses << ")." << std::endl;
    std::exit(1);
}
{% set needs_delays = '_list_in_delays' in lists or regular %}
{% if delayed %}
{% include 'sort_by_delay.cpp' %}
{% endif %}
{% if incoming %}
{% include 'index_incoming.cpp' %}
{% endif %}
{% for var in synaptic %}
{{get_array_name(var, access_data=False)}}.assign(_synapses, 0);
{% endfor %}
{{get_array_name(lists.N)}}[0] = _synapses;
{% endif %}
{% endblock %}
