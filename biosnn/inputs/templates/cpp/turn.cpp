{# Turn to the image whose time has come. All pixels spike then. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
#include<cstdlib>
{% endblock %}

{% block maincode %}
{% set _spikes = get_array_name(eventspace_variable) %}
{% set _turns = get_array_name(variables['_turns']) %}
{% set _steps = get_array_name(variables['_steps']) %}
{% set _x = get_array_name(variables['x']) %}
{% set _frame = get_array_name(variables['frame']) %}
const int64_t _now = {{get_array_name(variables['t_in_timesteps'])}}[0] + {{get_array_name(variables['_early'])}}[0];
const int32_t _before = {{_turns}}[0];
while ({{_turns}}[0] < {{variables['_steps'].size}} && {{_steps}}[{{_turns}}[0]] <= _now) {{_turns}}[0]++;
{{_spikes}}[{{size}}] = 0;
if ({{_turns}}[0] == _before) return;
const int32_t _place = {{get_array_name(variables['_places'])}}[{{_turns}}[0] - 1];
{{_frame}}[0] = _place < 0 ? -1 : {{get_array_name(variables['presentation_order'])}}[_place];
if ({{_frame}}[0] < -1 || {{_frame}}[0] >= {{n_images}})
{
    std::cerr << "{{owner.name}}, presentation_order: expected images below {{n_images}} (got " << {{_frame}}[0] << ")." << std::endl;
    std::exit(1);
}
for (size_t _idx = 0; _idx < {{size}}; _idx++) {{_spikes}}[_idx] = _idx;
{# A blank has no image to point to. #}
if ({{_frame}}[0] < 0) std::fill({{_x}}, {{_x}} + {{size}}, 0);
else
{
    const {{c_data_type(variables['pixels'].dtype)}}* const _image = {{get_array_name(variables['pixels'])}} + (int64_t) {{_frame}}[0]*{{size}};
    std::copy(_image, _image + {{size}}, {{_x}});
}
{{_spikes}}[{{size}}] = {{size}};
{% endblock %}

{% block after_code %}
{{get_array_name(eventspace_variable)}}[{{size}}] = 0;
{% endblock %}
