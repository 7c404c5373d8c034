/* /proc/<pid>/stat, as far as it is of use; proc_pid_stat(5). */
#ifndef ASYNC_TEARDOWN_PROC_STAT_H
#define ASYNC_TEARDOWN_PROC_STAT_H

/* Whether the process of an open stat file is dead: reaped, or a zombie without other threads. A zombie with other
 * threads is a process whose main thread ended early. */
int proc_stat_says_dead(int fd);

/* The CPU that its main thread runs on, or ran on last; negative where that is not known. */
int proc_stat_cpu(int fd);

#endif
