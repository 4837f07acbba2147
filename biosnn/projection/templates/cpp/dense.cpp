{% extends 'projection.cpp' %}

{% block outgoing %}
{% if ages %}
const int32_t* _starts = {{get_array_name(ages.starts)}} + _pre*{{ages.longest - ages.shortest + 2}} + (_age - {{ages.shortest}});
const {{c_data_type(ages.order.dtype)}}* _order = {{get_array_name(ages.order)}} + _pre*{{n.targets}};
for (int32_t _k = _starts[0]; _k < _starts[1]; _k++)
{
    const size_t _post = _order[_k], _idx = _pre*{{n.targets}} + _post;
    {{self.synapse()}}
}
{% else %}
for (size_t _post = 0; _post < {{n.targets}}; _post++)
{
    const size_t _idx = _pre*{{n.targets}} + _post;
    {{self.synapse()}}
}
{% endif %}
{% endblock %}

{% block incoming %}
for (size_t _pre = 0; _pre < {{n.sources}}; _pre++)
{
    const size_t _idx = _pre*{{n.targets}} + _post;
    {{self.synapse()}}
}
{% endblock %}
