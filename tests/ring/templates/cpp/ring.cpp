{% extends 'projection.cpp' %}

{% block outgoing %}
for (size_t _k = 0; _k < {{n.width}}; _k++)
{
    const size_t _post = (_pre + 1 + _k) % {{n.targets}}, _idx = _pre*{{n.width}} + _k;
    {{self.synapse()}}
}
{% endblock %}

{% block incoming %}
for (size_t _k = 0; _k < {{n.width}}; _k++)
{
    const size_t _pre = (_post + {{n.sources}} - 1 - _k) % {{n.sources}}, _idx = _pre*{{n.width}} + _k;
    {{self.synapse()}}
}
{% endblock %}
