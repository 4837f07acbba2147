{% extends 'projection.cpp' %}

{% block outgoing %}
for (size_t _post = 0; _post < {{n.targets}}; _post++)
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
