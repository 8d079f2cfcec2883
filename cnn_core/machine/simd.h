/* What plain C needs for fast, portable loops:
 *
 *   CLONES_VOID   marks a kernel that is compiled once per x86-64 level and chosen at load time, so that one
 *                 wheel uses AVX-512 where available and still runs elsewhere; plain `void` on other platforms
 *   exp_*, tanh_* branch-free inline functions (suffix f: float, d: double) that compilers turn into vector
 *                 code; accurate to a few units in the last place, finite for every finite argument
 *   PREFETCH      asks for a cache line that will be read soon
 *   CHECK         a condition the core relies on; tested in debug builds only
 */
#ifndef FASTMLP_SIMD_H
#define FASTMLP_SIMD_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not with the thread sanitizer, which is not ready yet when the choice is made. */
#if defined(FASTMLP_MULTIVERSION) && defined(__x86_64__) && defined(__gnu_linux__) && \
    (defined(__clang__) ? __clang_major__ >= 16 : __GNUC__ >= 11) && !defined(__SANITIZE_THREAD__)
#if FASTMLP_MULTIVERSION >= 4
#define CLONES_VOID __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void
#else
#define CLONES_VOID __attribute__((target_clones("arch=x86-64-v3", "default"))) void
#endif
#else
#define CLONES_VOID void
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline, unused))
#else
#define INLINE static inline
#endif

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address, 0, 2)
#else
#define PREFETCH(address) ((void)(address))
#endif

#ifdef FASTMLP_DEBUG
#define CHECK(condition) \
    ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: core check failed\n", __FILE__, __LINE__), abort()))
#else
#define CHECK(condition) ((void)(condition))
#endif

/* exp(x) = 2^n e^r with n = round(x / ln 2), |r| <= ln(2) / 2. Adding 1.5 * 2^23 (2^52) rounds to an integer and
 * leaves it in the low bits of the mantissa; a shift moves it into an exponent. */
#define real float
#define bits uint32_t
#define NAME(name) name##f
#define MATH(name) name##f
#define ROUNDER 12582912.0f
#define MANTISSA 23
#define ONE 0x3f800000
#define SQRT_HALF 0x3f3504f3
#define LIMIT 87.0f
#define LN2_HIGH 0.693145752f
#define LN2_LOW 1.42860677e-6f
#include "simd_functions.h"

#define real double
#define bits uint64_t
#define NAME(name) name##d
#define MATH(name) name
#define ROUNDER 6755399441055744.0
#define MANTISSA 52
#define ONE 0x3ff0000000000000
#define SQRT_HALF 0x3fe6a09e667f3bcd
#define LIMIT 708.0
#define LN2_HIGH 0.693147180369123816490
#define LN2_LOW 1.90821492927058770002e-10
#include "simd_functions.h"

#endif
