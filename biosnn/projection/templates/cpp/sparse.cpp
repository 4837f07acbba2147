{# A list of targets for each source, one after the other. #}
{% extends 'projection.cpp' %}

{% block outgoing %}
const int64_t* _starts = {{get_array_name(variables['_list_indptr'])}};
const int32_t* _targets = {{get_array_name(variables['_list_indices'])}};
for (int64_t _idx = _starts[_pre]; _idx < _starts[_pre + 1]; _idx++)
{
    const size_t _post = _targets[_idx];
    {{self.synapse()}}
}
{% endblock %}
