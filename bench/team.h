/* A few threads that run parts of one job, as a caller of a kernel with several threads would.
 * SPDX-License-Identifier: MIT-0 */
#ifndef TEAM_H
#define TEAM_H

typedef void team_job(void *argument, int member, int members);

struct team;

/* The caller is member 0; the others wait actively, so a team should not live long. */
struct team *team_start(int members);
void team_run(struct team *team, team_job *job, void *argument); /* returns when all are done */
void team_stop(struct team *team);

#endif
