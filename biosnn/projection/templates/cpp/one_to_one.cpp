{% extends 'projection.cpp' %}

{% block outgoing %}
do
{
    const size_t _post = _pre, _idx = _pre;
    {{self.synapse()}}
} while (false);
{% endblock %}

{% block incoming %}
do
{
    const size_t _pre = _post, _idx = _post;
    {{self.synapse()}}
} while (false);
{% endblock %}
