// The exponential of a number of single precision, in line, so that it costs no call in loops of vector instructions:
// 2^(n + f), n whole and f at most a half; the polynomial for 2^f is that of Moshier's Cephes library (exp2f). Its
// relative error is that of rounding the number: 1e-7 for each unit of it. Below 1.7e-38 it is 0.
static inline float _exp(float _x)
{
    const float _z = 1.44269504f*_x;
    // Where comparisons are false, the number is none, and stays so.
    const float _bounded = _z < -126.0f ? -126.0f : _z > 129.0f ? 129.0f : _z;
    const float _n = __builtin_rintf(_bounded), _f = _bounded - _n;
    // Twice the power, times half the scale, which a number can hold up to the largest result.
    const float _power = (((((3.070672376e-4f*_f + 2.679774880e-3f)*_f + 1.923687472e-2f)*_f + 1.110066494e-1f)*_f
        + 4.804529582e-1f)*_f + 1.386294406f)*_f + 2.0f;
    const int32_t _bits = ((int32_t) _n + 126) << 23;
    float _scale;
    __builtin_memcpy(&_scale, &_bits, sizeof _scale);
    return _power*_scale;
}
template<typename T> static inline double _exp(T _x) { return exp((double) _x); }
