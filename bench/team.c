/* SPDX-License-Identifier: MIT-0 */
#define _POSIX_C_SOURCE 200809L
#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct member {
    struct team *team;
    int index;
    pthread_t thread;
};

struct team {
    int members;
    team_job *job; /* NULL: go home */
    void *argument;
    atomic_int round, done;
    struct member member[];
};

/* Spins, and yields now and then in case there are fewer processors than members. */
static void wait_for(atomic_int *value, int wanted)
{
    for (int turn = 1; atomic_load_explicit(value, memory_order_acquire) != wanted; ++turn)
        if (turn % 10000 == 0)
            sched_yield();
}

static void *work(void *argument)
{
    const struct member *self = argument;
    struct team *team = self->team;
    for (int round = 1;; ++round) {
        wait_for(&team->round, round);
        if (!team->job)
            return NULL;
        team->job(team->argument, self->index, team->members);
        atomic_fetch_add_explicit(&team->done, 1, memory_order_release);
    }
}

struct team *team_start(int members)
{
    struct team *team = calloc(1, sizeof *team + (size_t)members * sizeof team->member[0]);
    if (!team)
        abort();
    team->members = members;
    for (int i = 1; i < members; ++i) {
        team->member[i].team = team;
        team->member[i].index = i;
        if (pthread_create(&team->member[i].thread, NULL, work, &team->member[i]) != 0) {
            fprintf(stderr, "bench: cannot start %d threads\n", members);
            exit(4);
        }
    }
    return team;
}

void team_run(struct team *team, team_job *job, void *argument)
{
    if (team->members == 1) {
        if (job)
            job(argument, 0, 1);
        return;
    }
    team->job = job;
    team->argument = argument;
    atomic_store_explicit(&team->done, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&team->round, 1, memory_order_release);
    if (job)
        job(argument, 0, team->members);
    wait_for(&team->done, job ? team->members - 1 : 0);
}

void team_stop(struct team *team)
{
    team_run(team, NULL, NULL);
    for (int i = 1; i < team->members; ++i)
        pthread_join(team->member[i].thread, NULL);
    free(team);
}
