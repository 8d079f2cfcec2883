/* The part of an OpenMP runtime that the core uses, written with pthreads, for the thread sanitizer.
 *
 * The sanitizer sees only code that is compiled for it. libgomp is not, so every start and end of a team would look
 * like a race. These functions are loaded before libgomp and replace its own. What the threads of a team share is then
 * the core's alone: its barrier and its memory.
 */
#include <pthread.h>
#include <stdlib.h>

typedef struct {
    void (*work)(void *);
    void *data;
    int number, size, level;
    pthread_t thread;
} Member;

static __thread int own_number = 0, own_size = 1, own_level = 0, most_levels = 1;

int omp_get_thread_num(void) { return own_number; }
int omp_get_num_threads(void) { return own_size; }
int omp_get_max_threads(void) { return 2; }
int omp_get_active_level(void) { return own_level; }
int omp_get_max_active_levels(void) { return most_levels; }
void omp_set_max_active_levels(int levels) { most_levels = levels; }

static void *run(void *given)
{
    Member *member = given;
    own_number = member->number;
    own_size = member->size;
    own_level = most_levels = member->level;
    member->work(member->data);
    return NULL;
}

void GOMP_parallel(void (*work)(void *), void *data, unsigned size, unsigned flags)
{
    Member members[64];
    int number, outer_number = own_number, outer_size = own_size;
    (void)flags;
    if (own_level >= most_levels)
        size = 1; /* no team inside this one */
    if (size < 1 || size > 64)
        abort();
    for (number = 1; number < (int)size; number++) {
        members[number] = (Member){work, data, number, (int)size, own_level + 1, 0};
        if (pthread_create(&members[number].thread, NULL, run, &members[number]) != 0)
            abort();
    }
    own_number = 0;
    own_size = (int)size;
    own_level += size > 1;
    work(data);
    own_level -= size > 1;
    own_size = outer_size;
    own_number = outer_number;
    for (number = 1; number < (int)size; number++) pthread_join(members[number].thread, NULL);
}
