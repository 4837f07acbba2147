{# How a variable of drawn synapses begins: statements for each synapse, with random numbers of its own. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
{% import 'counter.cpp' as counter %}
{{counter.functions()}}
{% endblock %}

{% block maincode %}
{% set each = random|length %}
const int64_t* _indptr = {{get_array_name(lists._list_indptr)}};
const {{c_data_type(lists._list_indices.dtype)}}* _indices = {{get_array_name(lists._list_indices)}};
const uint64_t _stream = _Counter::stream({{get_array_name(lists._key)}}[0], {{stream}}, 0);
{% import 'counter.cpp' as counter %}
const auto _draw_values = [&]() {{counter.exactly()}}
{
const size_t _vectorisation_idx = -1;
{{scalar_code|autoindent}}
for (int64_t _pre = 0; _pre < {{n.sources}}; _pre++)
{
    const uint64_t _start = _Counter::start(_stream, _pre);
    const size_t _presynaptic_idx = _pre + {{n.source_start}};
    for (int64_t _idx = _indptr[_pre]; _idx < _indptr[_pre + 1]; _idx++)
    {
        {% for name, kind in random %}
        const double {{name}} = _Counter::{{kind}}(_Counter::bits(_start, (_idx - _indptr[_pre])*{{each}} + {{loop.index0}}));
        {% endfor %}
        const size_t _postsynaptic_idx = _indices[_idx] + {{n.target_start}};
        const int32_t i = _pre, j = _indices[_idx];
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
    }
}
};
_draw_values();
{% endblock %}
