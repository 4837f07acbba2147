{# In the first steps of an image: discard spikes, or count them and let neurons begin anew at the end. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
{% endblock %}

{% block maincode %}
const int32_t _turn = {{get_array_name(variables['_turns'])}}[0] - 1;
if (_turn < 0) return;
const int64_t _now = {{get_array_name(variables['t_in_timesteps'])}}[0] + {{get_array_name(variables['_early'])}}[0];
const int64_t _left = {{get_array_name(number)}}[0] - (_now - {{get_array_name(variables['_steps'])}}[_turn]);
if (_left <= 0) return;
{% if discards %}
{{get_array_name(spikes)}}[{{spikes.size - 1}}] = 0;
{% else %}
{% if sent %}
{% set _v = get_array_name(potential) %}
{% set _value = c_data_type(potential.dtype) %}
const int32_t* _spikes = {{get_array_name(spikes)}};
int32_t* _sent = {{get_array_name(sent)}};
for (int32_t _k = 0; _k < _spikes[{{spikes.size - 1}}]; _k++)
    _sent[_spikes[_k]] += {% if carried %}{{get_array_name(carried)}}[_spikes[_k]]{% else %}1{% endif %};
{% endif %}
if (_left > 1) return;
{% if sent %}
{# From here on it says by how many thresholds a neuron is shifted. #}
for (int32_t _k = 0; _k < {{neurons}}; _k++)
    _sent[_k] = ({{_v}}[_k] >= {{low}} + {{quantum}}) - ({{_v}}[_k] < {{low}} && _sent[_k] > 0);
{% endif %}
{% for var, kept, start, stop in parts %}
{% if kept is none %}
std::fill({{get_array_name(var)}} + {{start}}, {{get_array_name(var)}} + {{stop}}, 0);
{% else %}
std::copy({{get_array_name(kept)}}, {{get_array_name(kept)}} + {{stop - start}}, {{get_array_name(var)}} + {{start}});
{% endif %}
{% endfor %}
{% if sent %}
for (int32_t _k = 0; _k < {{neurons}}; _k++)
{
    {{_v}}[_k] += ({{_value}}) (_sent[_k]*{{quantum}});
    _sent[_k] = 0;
}
{% endif %}
{% endif %}
{% endblock %}
