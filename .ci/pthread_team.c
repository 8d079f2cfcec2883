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
    int number, size;
    pthread_t thread;
} Member;

static __thread int own_number = 0, own_size = 1;

int omp_get_thread_num(void) { return own_number; }
int omp_get_num_threads(void) { return own_size; }
int omp_get_max_threads(void) { return 2; }

static void *run(void *given)
{
    Member *member = given;
    own_number = member->number;
    own_size = member->size;
    member->work(member->data);
    return NULL;
}

void GOMP_parallel(void (*work)(void *), void *data, unsigned size, unsigned flags)
{
    Member members[64];
    int number;
    (void)flags;
    if (size < 1 || size > 64)
        abort();
    for (number = 1; number < (int)size; number++) {
        members[number] = (Member){work, data, number, (int)size, 0};
        if (pthread_create(&members[number].thread, NULL, run, &members[number]) != 0)
            abort();
    }
    own_size = (int)size;
    work(data);
    own_size = 1;
    for (number = 1; number < (int)size; number++) pthread_join(members[number].thread, NULL);
}
