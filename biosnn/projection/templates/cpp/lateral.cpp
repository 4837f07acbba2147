{# Every neuron gets the total of a step's spikes minus its own. The statements run once per spike: numbers take the place
   of the target's arrays, and what the statements write there is withdrawn from the neuron that spiked and goes to all
   in the end. Where a variable rests ("unless refractory"), nothing is added. #}
{% extends 'projection.cpp' %}

{% block before %}
{% for name in sums %}
{{c_data_type(variables[name].dtype)}} _total_{{name}} = 0;
{% endfor %}
bool _any = false;
{% endblock %}

{% block outgoing %}
{% for name in sums %}
{{c_data_type(variables[name].dtype)}} _own_{{name}} = 0;
{% endfor %}
{
    {% for name in sums %}
    {{c_data_type(variables[name].dtype)}}* const {{get_array_name(variables[name])}} = &_own_{{name}};
    {% endfor %}
    {% for name in resting %}
    const {{c_data_type(variables[name].dtype)}} _open_{{name}} = true;
    const {{c_data_type(variables[name].dtype)}}* const {{get_array_name(variables[name])}} = &_open_{{name}};
    {% endfor %}
    const size_t _idx = 0, _vectorisation_idx = 0, _postsynaptic_idx = 0, _presynaptic_idx = _pre + {{n.source_start}};
    const int32_t i = _pre;
    {{vector_code|autoindent}}
}
{
    const size_t _postsynaptic_idx = _pre + {{n.target_start}};
    {% for name, rests in sums.items() %}
    {% if rests %}if ({{get_array_name(variables[rests])}}[_postsynaptic_idx]) {% endif %}{{get_array_name(variables[name])}}[_postsynaptic_idx] -= _own_{{name}};
    _total_{{name}} += _own_{{name}};
    {% endfor %}
}
_any = true;
{% endblock %}

{% block after %}
if (_any)
    for (size_t _postsynaptic_idx = {{n.target_start}}; _postsynaptic_idx < {{n.target_stop}}; _postsynaptic_idx++)
    {
        {% for name, rests in sums.items() %}
        {% if rests %}if ({{get_array_name(variables[rests])}}[_postsynaptic_idx]) {% endif %}{{get_array_name(variables[name])}}[_postsynaptic_idx] += _total_{{name}};
        {% endfor %}
    }
{% endblock %}
