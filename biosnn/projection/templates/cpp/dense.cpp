{% extends 'projection.cpp' %}

{% block divide %}
biosnn::in_equal_parts({{n.targets}}, _part_{{codeobj_name}});
{% endblock %}

{% block outgoing %}
for (size_t _post = {{"_begin" if divisible else 0}}; _post < {{"_end" if divisible else n.targets}}; _post++)
{
    const size_t _idx = _pre*{{n.targets}} + _post;
    {{self.synapse()}}
}
{% endblock %}

{% block incoming %}
for (size_t _pre = 0; _pre < {{n.sources}}; _pre++)
{
    const size_t _idx = _pre*{{n.targets}} + _post;
    {{self.synapse()}}
}
{% endblock %}

{# Delays of their own: a spike reaches few synapses at a time. These are collected first, in steps of a fixed length
   that do not depend on how many they are, and then gone through in one loop. Short loops of changing lengths would
   cost the processor more than what is done in them. Up to `stride - 1` places beyond those found are written, hence
   the room; the order has as many more entries (delays.py). #}
{% block heterogeneous %}
{% set room = [4096, n.targets] | max %}
{% set stride = 32 %}
{% set index = "int32_t" if n.weights < 2**31 else "int64_t" %}
static {{index}} _rows[{{room + stride}}], _targets[{{room + stride}}];
const int32_t* _spikes = NULL;
int32_t _spike = 0, _num_spikes = 0;
int64_t _age = _shortest - 1;
for (bool _more = true; _more;)
{
    int32_t _found = 0;
    while (_found + {{n.targets}} <= {{room}})
    {
        if (_spike == _num_spikes)
        {
            _age++;
            _more = _age <= _longest && _age <= _now;
            if (!_more) break;
            _spikes = {{get_array_name(heterogeneous.spike_history.history)}} + (_now - _age) % _slots*{{n.spikespace + 1}};
            _num_spikes = _spikes[{{n.spikespace}}];
            _spike = 0;
            continue;
        }
        const int32_t _pre = _spikes[_spike++] - {{n.source_start}};
        if (_pre < 0 || _pre >= {{n.sources}}) continue;
        const int32_t* _starts = {{get_array_name(heterogeneous.starts)}} + (size_t) _pre*(_longest - _shortest + 2) + _age - _shortest;
        const {{c_data_type(heterogeneous.order.dtype)}}* _order = {{get_array_name(heterogeneous.order)}} + (size_t) _pre*{{n.targets}} + _starts[0];
        const int32_t _length = _starts[1] - _starts[0];
        for (int32_t _done = 0; _done < _length; _done += {{stride}})
            for (int32_t _k = _done; _k < _done + {{stride}}; _k++)
            {
                _rows[_found + _k] = _pre*({{index}}) {{n.targets}};
                _targets[_found + _k] = _order[_k];
            }
        _found += _length;
    }
    for (int32_t _k = 0; _k < _found; _k++)
    {
        const size_t _post = _targets[_k], _idx = _rows[_k] + _post, _pre = _rows[_k]/{{n.targets}};
        {{self.synapse()}}
    }
}
{% endblock %}
