/* The body of simd.h, included once for float and once for double. */

/* 2^n and expm1(r) of the range reduction above; exp(x) = scale + scale * q. */
INLINE void NAME(reduce_)(real x, real *scale, real *q)
{
    real shifted, n, r, p;
    bits exponent;
    x = x < -LIMIT ? -LIMIT : x;
    x = x > LIMIT ? LIMIT : x;
    shifted = x * (real)1.44269504088896340736 + ROUNDER;
    n = shifted - ROUNDER;
    r = x - n * LN2_HIGH - n * LN2_LOW;
    memcpy(&exponent, &shifted, sizeof exponent);
    exponent = (exponent << MANTISSA) + ONE;
    memcpy(scale, &exponent, sizeof exponent);
    /* Taylor series: the first term left out is below r^8 / 8! (r^14 / 14!), under half a unit in the last place */
    if (sizeof(real) == 4) {
        p = (real)(1 / 5040.0);
    } else {
        p = (real)(1 / 6227020800.0);
        p = p * r + (real)(1 / 479001600.0);
        p = p * r + (real)(1 / 39916800.0);
        p = p * r + (real)(1 / 3628800.0);
        p = p * r + (real)(1 / 362880.0);
        p = p * r + (real)(1 / 40320.0);
        p = p * r + (real)(1 / 5040.0);
    }
    p = p * r + (real)(1 / 720.0);
    p = p * r + (real)(1 / 120.0);
    p = p * r + (real)(1 / 24.0);
    p = p * r + (real)(1 / 6.0);
    p = p * r + (real)0.5;
    *q = p * r * r + r;
}

/* e^x, with x clamped to +-LIMIT so that neither the result nor its reciprocal leaves the normal numbers */
INLINE real NAME(exp_)(real x)
{
    real scale, q;
    NAME(reduce_)(x, &scale, &q);
    return scale + scale * q;
}

/* e^x - 1 without cancellation near 0 */
INLINE real NAME(expm1_)(real x)
{
    real scale, q;
    NAME(reduce_)(x, &scale, &q);
    return scale * q + (scale - 1);
}

/* 1 / (1 + e^-x) */
INLINE real NAME(sigmoid_)(real x)
{
    return 1 / (1 + NAME(exp_)(-x));
}

/* tanh |x| = m / (m + 2) with m = e^(2|x|) - 1, then the sign of x */
INLINE real NAME(tanh_)(real x)
{
    real m = NAME(expm1_)(2 * MATH(fabs)(x));
    return MATH(copysign)(m / (m + 2), x);
}

/* log(1 + e^x) = max(x, 0) + log1p(u), u = e^-|x|; log1p(u) = 2 artanh(s), s = u / (2 + u) <= 1/3, by its series */
INLINE real NAME(softplus_)(real x)
{
    real size = x < 0 ? -x : x;
    real u = NAME(exp_)(-size);
    real s = u / (2 + u);
    real t = s * s;
    real p;
    if (sizeof(real) == 4) {
        p = (real)(1 / 15.0);
    } else {
        p = (real)(1 / 33.0);
        p = p * t + (real)(1 / 31.0);
        p = p * t + (real)(1 / 29.0);
        p = p * t + (real)(1 / 27.0);
        p = p * t + (real)(1 / 25.0);
        p = p * t + (real)(1 / 23.0);
        p = p * t + (real)(1 / 21.0);
        p = p * t + (real)(1 / 19.0);
        p = p * t + (real)(1 / 17.0);
        p = p * t + (real)(1 / 15.0);
    }
    p = p * t + (real)(1 / 13.0);
    p = p * t + (real)(1 / 11.0);
    p = p * t + (real)(1 / 9.0);
    p = p * t + (real)(1 / 7.0);
    p = p * t + (real)(1 / 5.0);
    p = p * t + (real)(1 / 3.0);
    p = p * t + 1;
    return (x > 0 ? x : 0) + 2 * s * p;
}

/* log x for x >= 1: x = 2^n m with m from sqrt(1/2) to sqrt(2); log m = 2 artanh(s), s = (m - 1) / (m + 1), by its
 * series, as s^2 < 0.03. Adding n to the bits of ROUNDER turns it into a real, the reverse of exp. */
INLINE real NAME(log_)(real x)
{
    bits b, exponent;
    real m, n, s, t, p;
    const real rounder = ROUNDER;
    memcpy(&b, &x, sizeof b);
    memcpy(&exponent, &rounder, sizeof exponent);
    b -= SQRT_HALF;
    exponent += b >> MANTISSA;
    memcpy(&n, &exponent, sizeof n);
    n -= ROUNDER;
    b = (b & (((bits)1 << MANTISSA) - 1)) + SQRT_HALF;
    memcpy(&m, &b, sizeof m);
    s = (m - 1) / (m + 1);
    t = s * s;
    if (sizeof(real) == 4) {
        p = (real)(1 / 9.0);
    } else {
        p = (real)(1 / 21.0);
        p = p * t + (real)(1 / 19.0);
        p = p * t + (real)(1 / 17.0);
        p = p * t + (real)(1 / 15.0);
        p = p * t + (real)(1 / 13.0);
        p = p * t + (real)(1 / 11.0);
        p = p * t + (real)(1 / 9.0);
    }
    p = p * t + (real)(1 / 7.0);
    p = p * t + (real)(1 / 5.0);
    p = p * t + (real)(1 / 3.0);
    p = p * t + 1;
    return n * LN2_HIGH + (n * LN2_LOW + 2 * s * p);
}

#undef real
#undef bits
#undef NAME
#undef MATH
#undef ROUNDER
#undef MANTISSA
#undef ONE
#undef SQRT_HALF
#undef LIMIT
#undef LN2_HIGH
#undef LN2_LOW
