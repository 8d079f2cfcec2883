/* The threads that share one call into the core: an OpenMP team, or the caller alone in a build without OpenMP.
 *
 * A thread waits at the barrier in two ways. First it spins, since on an idle machine the others arrive within a
 * microsecond. Then it sleeps until it is woken: on a busy machine the others may be waiting for a processor, and a
 * sleeping thread frees its own. The last thread to arrive changes the phase, which the others watch.
 *
 * By default OpenMP forms no team inside another. A thread that calls Python allows it for the length of that call, so
 * that other networks used there have as many threads, and give the same bits, as when they run alone.
 */
#ifndef FASTMLP_TEAM_H
#define FASTMLP_TEAM_H

#ifdef _OPENMP
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#if defined(__linux__)
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#define team_has_threads() 1
#define team_member() omp_get_thread_num()
#define team_size() omp_get_num_threads()
#define team_is_running() (omp_get_active_level() > 0)
#define TEAM_MOST 1024
#define team_may_form() (omp_get_active_level() < omp_get_max_active_levels())

/* Allow a team inside the running one; returns what team_forbid_inner takes. */
static inline int team_allow_inner(void)
{
    int before = omp_get_max_active_levels(), needed = omp_get_active_level() + 1;
    if (before < needed)
        omp_set_max_active_levels(needed);
    return before;
}

static inline void team_forbid_inner(int before)
{
    if (omp_get_max_active_levels() != before)
        omp_set_max_active_levels(before);
}

typedef struct {
    int arrived;
    int phase;
    int asleep;
} Barrier;

#if defined(__x86_64__)
#define team_pause() __builtin_ia32_pause()
#else
#define team_pause() ((void)0)
#endif

/* Sleep while the barrier is in this phase; without futexes, yield the time slice instead. */
static inline void team_sleep(Barrier *barrier, int phase)
{
#if defined(__linux__)
    __atomic_add_fetch(&barrier->asleep, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &barrier->phase, FUTEX_WAIT_PRIVATE, phase, NULL, NULL, 0);
    __atomic_sub_fetch(&barrier->asleep, 1, __ATOMIC_SEQ_CST);
#else
    (void)phase;
    sched_yield();
#endif
}

static inline void team_wake(Barrier *barrier)
{
#if defined(__linux__)
    if (__atomic_load_n(&barrier->asleep, __ATOMIC_SEQ_CST) > 0)
        syscall(SYS_futex, &barrier->phase, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
#endif
}

static inline void team_wait(Barrier *barrier, int size)
{
    int looks, phase = __atomic_load_n(&barrier->phase, __ATOMIC_RELAXED);
    if (size == 1)
        return;
    if (__atomic_add_fetch(&barrier->arrived, 1, __ATOMIC_ACQ_REL) == size) {
        __atomic_store_n(&barrier->arrived, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&barrier->phase, phase + 1, __ATOMIC_SEQ_CST);
        team_wake(barrier);
        return;
    }
    for (looks = 0; __atomic_load_n(&barrier->phase, __ATOMIC_ACQUIRE) == phase; looks++) {
        if (looks < 2000)
            team_pause();
        else
            team_sleep(barrier, phase);
    }
}

static inline void *team_probe(void *gate)
{
    pthread_mutex_lock((pthread_mutex_t *)gate);
    pthread_mutex_unlock((pthread_mutex_t *)gate);
    return NULL;
}

/* How many threads, at most n, could be started beside those there are; all have ended when it returns. OpenMP would
 * end the process at the first one that cannot. stack_bytes: of each, 0 for the system's default. */
static inline int team_startable(int n, size_t stack_bytes)
{
    pthread_t threads[TEAM_MOST];
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_attr_t attributes;
    int started = 0, i;
    pthread_attr_init(&attributes);
    if (stack_bytes > 0 && pthread_attr_setstacksize(&attributes, stack_bytes) != 0)
        stack_bytes = 0;
    pthread_mutex_lock(&gate);
    while (started < n && started < TEAM_MOST &&
           pthread_create(&threads[started], &attributes, team_probe, &gate) == 0)
        started++;
    pthread_mutex_unlock(&gate);
    for (i = 0; i < started; i++) pthread_join(threads[i], NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

#else
#define team_has_threads() 0
#define team_startable(n, stack_bytes) 0
#define team_is_running() 0
#define team_member() 0
#define team_size() 1
#define team_may_form() 0
#define team_allow_inner() 0
#define team_forbid_inner(before) ((void)(before))

typedef struct {
    int arrived;
    int phase;
    int asleep;
} Barrier;

#define team_wait(barrier, size) ((void)(barrier), (void)(size))
#endif

#endif
