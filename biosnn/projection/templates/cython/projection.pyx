{% extends 'common_group.pyx' %}

{% block maincode %}
    cdef Py_ssize_t _entry
    cdef _numpy.ndarray[int64_t, ndim=1, mode='c'] _weights
    cdef _numpy.ndarray[int64_t, ndim=1, mode='c'] _sources
    cdef _numpy.ndarray[int64_t, ndim=1, mode='c'] _targets
    {% if delayed_traces %}
    cdef _numpy.ndarray[int64_t, ndim=1, mode='c'] _lates
    {% endif %}
    _vectorisation_idx = 1
    {{scalar_code|autoindent}}
    for _weights, _sources, _targets in _router():
        {% if delayed_traces %}
        _lates = _late.index(_weights, _sources + {{n.source_start}})
        {% endif %}
        for _entry in range(_weights.shape[0]):
            _idx = _weights[_entry]
            i = _sources[_entry]
            j = _targets[_entry]
            _presynaptic_idx = i + {{n.source_start}}
            _postsynaptic_idx = j + {{n.target_start}}
            {% if delayed_traces %}
            _late_idx = _lates[_entry]
            {% endif %}
            _vectorisation_idx = _idx
            {{vector_code|autoindent}}
{% endblock %}
