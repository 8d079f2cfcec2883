/* The threads that share one call into the core: an OpenMP team, or the caller alone in a build without OpenMP.
 *
 * The barrier waits for all of them, in two ways: first it only looks, since on an idle machine the others are a
 * microsecond behind; then it offers its processor to whoever wants it, since on a busy one the others may be waiting
 * for just that. A thread that saw everybody arrive turns the phase, which the waiting ones watch.
 */
#ifndef FASTMLP_TEAM_H
#define FASTMLP_TEAM_H

#ifdef _OPENMP
#include <omp.h>
#include <sched.h>
#define team_has_threads() 1
#define team_member() omp_get_thread_num()
#define team_size() omp_get_num_threads()

typedef struct {
    int arrived;
    int phase;
} Barrier;

#if defined(__x86_64__)
#define team_pause() __builtin_ia32_pause()
#else
#define team_pause() ((void)0)
#endif

static inline void team_wait(Barrier *barrier, int size)
{
    int looks, phase = __atomic_load_n(&barrier->phase, __ATOMIC_RELAXED);
    if (size == 1)
        return;
    if (__atomic_add_fetch(&barrier->arrived, 1, __ATOMIC_ACQ_REL) == size) {
        __atomic_store_n(&barrier->arrived, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&barrier->phase, phase + 1, __ATOMIC_RELEASE);
        return;
    }
    for (looks = 0; __atomic_load_n(&barrier->phase, __ATOMIC_ACQUIRE) == phase; looks++) {
        if (looks < 2000)
            team_pause();
        else
            sched_yield();
    }
}

#else
#define team_has_threads() 0
#define team_member() 0
#define team_size() 1

typedef struct {
    int arrived;
    int phase;
} Barrier;

#define team_wait(barrier, size) ((void)(barrier), (void)(size))
#endif

#endif
