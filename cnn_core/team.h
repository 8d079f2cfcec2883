/* The threads that share one call into the core: an OpenMP team, or the caller alone in a build without OpenMP. */
#ifndef FASTMLP_TEAM_H
#define FASTMLP_TEAM_H

#ifdef _OPENMP
#include <omp.h>
#define team_has_threads() 1
#define team_member() omp_get_thread_num()
#define team_size() omp_get_num_threads()
#define team_barrier() _Pragma("omp barrier")
#else
#define team_has_threads() 0
#define team_member() 0
#define team_size() 1
#define team_barrier() ((void)0)
#endif

#endif
