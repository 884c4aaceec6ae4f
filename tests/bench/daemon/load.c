/* SPDX-License-Identifier: Apache-2.0
 *
 * load PORT CLIENTS THREADS SECONDS CONNECTIONS ANSWER
 *
 * CLIENTS clients, shared out among THREADS threads, each of them over and over: connect, read
 * to the end, check the answer, close. Stops after SECONDS or CONNECTIONS, whichever comes first
 * (0: no such limit). Each client has a server address of its own in 127.0.0.0/8, and having seen
 * the end it closes with a reset: otherwise a hundred thousand connections in TIME_WAIT, left by
 * whichever server came before, would slow the ones that come after. Prints one JSON object;
 * latencies in microseconds, from before socket() to after the end of file.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct client {
	int fd;
	unsigned address;
	size_t got;
	double since;
	char answer[512];
};

struct thread {
	pthread_t id;
	struct client *clients;
	int count;
	int epoll;
	unsigned *latencies;
	size_t done, room, bad;
};

static struct sockaddr_in server = {.sin_family = AF_INET};
static const char *expected;
static size_t length;
static double end_time;
static atomic_long tickets;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void begin(struct thread *t, struct client *c)
{
	struct sockaddr_in to = server;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	struct linger reset = {.l_onoff = 1, .l_linger = 0};

	to.sin_addr.s_addr = htonl(c->address);
	c->since = now();
	c->got = 0;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0 || setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) ||
	    (connect(c->fd, (void *)&to, sizeof to) && errno != EINPROGRESS) ||
	    epoll_ctl(t->epoll, EPOLL_CTL_ADD, c->fd, &event)) {
		perror("load: connect");
		exit(1);
	}
}

static void record(struct thread *t, double seconds)
{
	if (t->done == t->room) {
		t->room = t->room ? 2 * t->room : 65536;
		t->latencies = realloc(t->latencies, t->room * sizeof *t->latencies);
		if (!t->latencies)
			exit(1);
	}
	t->latencies[t->done++] = seconds * 1e6;
}

/* Read what there is; 1 once the connection has ended. */
static int finished(struct thread *t, struct client *c)
{
	ssize_t n;

	while ((n = read(c->fd, c->answer + c->got, sizeof c->answer - c->got)) > 0)
		c->got += n;
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n == 0 && c->got == length && !memcmp(c->answer, expected, length))
		record(t, now() - c->since);
	else
		t->bad++;
	close(c->fd);
	return 1;
}

static void *run(void *argument)
{
	struct thread *t = argument;
	struct epoll_event events[64];
	int busy = 0, n, i;

	t->epoll = epoll_create1(0);
	for (i = 0; i < t->count && atomic_fetch_sub(&tickets, 1) > 0; i++, busy++)
		begin(t, &t->clients[i]);
	while (busy) {
		n = epoll_wait(t->epoll, events, 64, 1000);
		for (i = 0; i < n; i++) {
			if (!finished(t, events[i].data.ptr))
				continue;
			if (now() < end_time && atomic_fetch_sub(&tickets, 1) > 0)
				begin(t, events[i].data.ptr);
			else
				busy--;
		}
		if (now() > end_time + 5) { /* whoever has no answer by now gets none */
			t->bad += busy;
			break;
		}
	}
	return NULL;
}

static int ascending(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	if (argc != 7)
		return 2;
	int clients = atoi(argv[2]), threads = atoi(argv[3]);
	double seconds = atof(argv[4]), began = now();
	struct thread *t = calloc(threads, sizeof *t);
	struct client *c = calloc(clients, sizeof *c);
	size_t done = 0, bad = 0;

	server.sin_port = htons(atoi(argv[1]));
	end_time = began + (seconds > 0 ? seconds : 3600);
	tickets = atol(argv[5]) ? atol(argv[5]) : 1L << 60;
	expected = argv[6];
	length = strlen(expected);
	for (int i = 0; i < clients; i++)
		c[i].address = INADDR_LOOPBACK + 1 + i;
	for (int i = 0, used = 0; i < threads; i++) {
		t[i].clients = c + used;
		t[i].count = (clients - used) / (threads - i);
		used += t[i].count;
		pthread_create(&t[i].id, NULL, run, &t[i]);
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(t[i].id, NULL);
		done += t[i].done;
		bad += t[i].bad;
	}
	double took = now() - began;
	unsigned *all = malloc((done + 1) * sizeof *all), *next = all;
	for (int i = 0; i < threads; i++) {
		if (t[i].done)
			memcpy(next, t[i].latencies, t[i].done * sizeof *next);
		next += t[i].done;
	}
	qsort(all, done, sizeof *all, ascending);
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"connections\": %zu, \"bad\": %zu, \"seconds\": %.6f, \"p50_us\": %u, "
	       "\"p99_us\": %u, \"cpu_seconds\": %.6f}\n",
	       done, bad, took, done ? all[done / 2] : 0, done ? all[done * 99 / 100] : 0,
	       usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
	           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	return bad != 0;
}
