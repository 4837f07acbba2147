{# A list of targets for each source, one after the other; for each target, where spikes of its own run statements, a list of
   its synapses and their sources. Loops over synapses are unrolled, which g++ does not do by itself: it halves their time. #}
{% extends 'projection.cpp' %}

{% block divide %}
if (_bounds.empty()) _bounds = biosnn::parts_by_synapses({{n.targets}}, {{get_array_name(variables['_list_indices'])}} + 0, _synapses);
biosnn::in_parallel(_bounds, _part_{{codeobj_name}});
{% endblock %}

{% block before %}
{% if computed is not none %}
{% import 'rows.cpp' as rows %}
{% set key = get_array_name(variables._key) ~ "[0]" %}
{{rows.prepare(computed.kind, n, key, get_array_name(variables[computed.kind.number]), computed.connectivity)}}
const int32_t* _outdegrees = {{get_array_name(variables['_list_outdegrees'])}};
{% for stream in random|map(attribute=2)|unique %}
const uint64_t _stream_{{stream}} = _Counter::stream({{key}}, {{stream}}, 0);
{% endfor %}
{% else %}
const int64_t* _indptr = {{get_array_name(variables['_list_indptr'])}};
const {{c_data_type(variables['_list_indices'].dtype)}}* _indices = {{get_array_name(variables['_list_indices'])}};
{% endif %}
{% if side == "post" %}
const int64_t* _in_indptr = {{get_array_name(variables['_list_in_indptr'])}};
const int32_t* _in_synapses = {{get_array_name(variables['_list_in_synapses'])}};
const {{c_data_type(variables['_list_in_sources'].dtype)}}* _in_sources = {{get_array_name(variables['_list_in_sources'])}};
{% if "_list_in_delays" in variables %}
const {{c_data_type(variables['_list_in_delays'].dtype)}}* _in_delays = {{get_array_name(variables['_list_in_delays'])}};
{% endif %}
{% endif %}
{% endblock %}

{% block outgoing %}
{% if computed is not none %}
{# Not stored: the targets are drawn again. #}
{% import 'rows.cpp' as rows %}
const int64_t _who = _pre;
{{rows.row(computed.kind, computed.same, in_order=random|length > 0)}}
{% for stream in random|map(attribute=2)|unique %}
const uint64_t _start_{{stream}} = _Counter::start(_stream_{{stream}}, _pre);
{% endfor %}
const size_t _length = _row.size();
{% if values %}
{% for var in values %}
static std::vector<{{c_data_type(var.dtype)}}> _of_row_{{var.name}};
_of_row_{{var.name}}.resize(_length);
{% endfor %}
{% import 'counter.cpp' as counter %}
const auto _draw_values = [&]() {{counter.exactly()}}
{
    const size_t _vectorisation_idx = -1;
    {{scalar_code['values']|autoindent}}
    for (size_t _idx = 0; _idx < _length; _idx++)
    {
        {% for name, drawn, stream, each, number in random %}
        const double {{name}} = _Counter::{{drawn}}(_Counter::bits(_start_{{stream}}, _idx*{{each}} + {{number}}));
        {% endfor %}
        const size_t _presynaptic_idx = _pre + {{n.source_start}}, _postsynaptic_idx = _row[_idx] + {{n.target_start}};
        const int32_t i = _pre, j = _row[_idx];
        const size_t _vectorisation_idx = _idx;
        {{vector_code['values']|autoindent}}
        {% for var in values %}
        _of_row_{{var.name}}[_idx] = {{var.name}};
        {% endfor %}
    }
};
_draw_values();
{% endif %}
#pragma GCC unroll 8
for (size_t _idx = 0; _idx < _length; _idx++)
{
    const size_t _post = _row[_idx];
    {% for var in values %}
    const {{c_data_type(var.dtype)}} {{var.name}} = _of_row_{{var.name}}[_idx];
    {% endfor %}
    {{self.synapse()}}
}
{% else %}
int64_t _row_begin = _indptr[_pre], _row_end = _indptr[_pre + 1];
{% if divisible %}
biosnn::within(_indices, _begin, _end, {{n.targets}}, _row_begin, _row_end);
{% endif %}
#pragma GCC unroll 8
for (int64_t _idx = _row_begin; _idx < _row_end; _idx++)
{
    const size_t _post = _indices[_idx];
    {{self.synapse()}}
}
{% endif %}
{% endblock %}

{% block incoming %}
#pragma GCC unroll 8
for (int64_t _in = _in_indptr[_post]; _in < _in_indptr[_post + 1]; _in++)
{
    {% for var in touched %}
    __builtin_prefetch({{get_array_name(var)}} + _in_synapses[_in + {{ahead}}], 1);
    {% endfor %}
    const int64_t _idx = _in_synapses[_in];
    const size_t _pre = _in_sources[_in];
    {{self.synapse()}}
}
{% endblock %}

{# Delays of their own: of each source, the synapses of one delay lie together. All such runs of a step are found first. #}
{% block heterogeneous %}
{% if heterogeneous.starts is not none %}
{% set starts, starts_type = get_array_name(heterogeneous.starts), c_data_type(heterogeneous.starts.dtype) %}
struct _Run { int64_t begin, end; size_t pre; };
static thread_local std::vector<_Run> _runs;
_runs.clear();
{# Of each delay there is a place for each thread, of synapses that are drawn. #}
const int64_t _parts = {{"1" if n.weights else "(" ~ get_array_name(heterogeneous.starts, access_data=False) ~ ".size()/" ~ n.sources ~ " - 1)/(_longest - _shortest + 1)"}};
const int64_t _places = (_longest - _shortest + 1)*_parts + 1;
const bool _in_part = _parts > 1 && (_begin > 0 || _end < {{n.targets}});
const int64_t _part = _in_part ? {{"std::find(_bounds.begin(), _bounds.end(), _begin) - _bounds.begin()" if divisible else 0}} : 0;
const int64_t _stop = _in_part ? 1 : _parts;
for (int64_t _age = _shortest; _age <= _longest && _age <= _now; _age++)
{
    const int32_t* _spikes = {{get_array_name(heterogeneous.spike_history.history)}} + (_now - _age) % _slots*{{n.spikespace + 1}};
    const {{starts_type}}* _of_age = {{starts}} + (_age - _shortest)*_parts + _part;
    const int32_t _num_spikes = _spikes[{{n.spikespace}}];
    for (int32_t _spike = 0; _spike < _num_spikes; _spike++)
    {
        if (_spike + 8 < _num_spikes) __builtin_prefetch(_of_age + (_spikes[_spike + 8] - {{n.source_start}})*_places);
        if (_spikes[_spike] < {{n.source_start}} || _spikes[_spike] >= {{n.source_stop}}) continue;
        const size_t _pre = _spikes[_spike] - {{n.source_start}};
        const {{starts_type}}* _starts = _of_age + _pre*_places;
        if (_starts[0] < _starts[_stop]) _runs.push_back({_indptr[_pre] + _starts[0], _indptr[_pre] + _starts[_stop], _pre});
    }
}
for (size_t _run = 0; _run < _runs.size(); _run++)
{
    if (_run + 8 < _runs.size())
    {
        const _Run& _next = _runs[_run + 8];
        for (const char* _at = (const char*) (_indices + _next.begin); _at < (const char*) (_indices + _next.end); _at += 64)
            __builtin_prefetch(_at);
        {% for var in touched %}
        for (const char* _at = (const char*) ({{get_array_name(var)}} + _next.begin); _at < (const char*) ({{get_array_name(var)}} + _next.end); _at += 64)
            __builtin_prefetch(_at);
        {% endfor %}
    }
    const size_t _pre = _runs[_run].pre;
    int64_t _run_begin = _runs[_run].begin, _run_end = _runs[_run].end;
    {% if divisible %}
    if (!_in_part) biosnn::within(_indices, _begin, _end, {{n.targets}}, _run_begin, _run_end);
    {% endif %}
    #pragma GCC unroll 8
    for (int64_t _idx = _run_begin; _idx < _run_end; _idx++)
    {
        const size_t _post = _indices[_idx];
        {{self.synapse()}}
    }
}
{% else %}
{{super()}}
{% endif %}
{% endblock %}

{% block extra_headers %}
{{super()}}
#include<vector>
{% if computed is not none %}
{% import 'counter.cpp' as counter %}
{{counter.functions()}}
{% endif %}
{% if divisible %}
namespace { std::vector<size_t> _bounds; }
{% endif %}
{% endblock %}
