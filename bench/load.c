/*
 * Keeps a Redis busy: each of so many CLIENTS sends a GET to SOCKET, waits for the answer, and sends the next one.
 * At each line of its standard input it says what came of the time since the last, latencies in seconds:
 *
 *   load SOCKET CLIENTS
 *
 *   {"seconds": 1.000213, "requests": 81234, "median": 0.000118, "p99": 0.000245, "worst": 0.001903}
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "measure.h"

/* The answer to a GET of a key that is not there is "$-1\r\n". */
static const char request[] = "*2\r\n$3\r\nGET\r\n$6\r\nnobody\r\n";
#define ANSWER_BYTES 5

#define MOST_CLIENTS 1000
#define INPUT MOST_CLIENTS

/* How many requests took so many microseconds; the last one counts all above. */
#define LONGEST_US 1000000
static uint32_t took[LONGEST_US + 1];

static struct client {
	int fd;
	int received;
	double sent;
} clients[MOST_CLIENTS];

static void send_request(struct client *client)
{
	client->received = 0;
	client->sent = now();
	if (write(client->fd, request, sizeof(request) - 1) != sizeof(request) - 1)
		die("load: write");
}

static void start_client(struct client *client, const struct sockaddr_un *address, int poll, uint32_t number)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};

	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0 || connect(client->fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
	    epoll_ctl(poll, EPOLL_CTL_ADD, client->fd, &event) < 0)
		die("load: connect");
	send_request(client);
}

static void receive(struct client *client)
{
	char answer[ANSWER_BYTES];
	ssize_t bytes = read(client->fd, answer, sizeof(answer) - (size_t)client->received);

	if (bytes <= 0)
		die("load: read");
	client->received += (int)bytes;
	if (client->received < ANSWER_BYTES)
		return;

	double latency_us = (now() - client->sent) * 1e6;

	took[latency_us < LONGEST_US ? (int)latency_us : LONGEST_US]++;
	send_request(client);
}

/* The latency, in seconds, that so many requests did not exceed. */
static double latency_of(uint64_t requests)
{
	uint64_t seen = 0;

	for (int us = 0; us <= LONGEST_US; us++) {
		seen += took[us];
		if (seen >= requests && seen > 0)
			return (double)us / 1e6;
	}
	return 0;
}

static void report(double seconds)
{
	uint64_t all = 0;

	for (int us = 0; us <= LONGEST_US; us++)
		all += took[us];
	printf("{\"seconds\": %.6f, \"requests\": %lu, \"median\": %.6f, \"p99\": %.6f, \"worst\": %.6f}\n", seconds,
	       (unsigned long)all, latency_of(all / 2), latency_of(all * 99 / 100), latency_of(all));
	fflush(stdout);
	memset(took, 0, sizeof(took));
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct epoll_event ready[64], input = {.events = EPOLLIN, .data.u32 = INPUT};
	int count = argc == 3 ? atoi(argv[2]) : 0, poll = epoll_create1(EPOLL_CLOEXEC);
	double since = now();

	if (count < 1 || count > MOST_CLIENTS || strlen(argv[1]) >= sizeof(address.sun_path) || poll < 0)
		die("usage: load SOCKET CLIENTS");
	memcpy(address.sun_path, argv[1], strlen(argv[1]));
	if (epoll_ctl(poll, EPOLL_CTL_ADD, 0, &input) < 0)
		die("load: epoll_ctl");
	for (int i = 0; i < count; i++)
		start_client(&clients[i], &address, poll, (uint32_t)i);
	for (;;) {
		int events = epoll_wait(poll, ready, 64, -1);

		if (events < 0 && errno != EINTR)
			die("load: epoll_wait");
		for (int i = 0; i < events; i++)
			if (ready[i].data.u32 != INPUT) {
				receive(&clients[ready[i].data.u32]);
			} else {
				char line[64];

				if (read(0, line, sizeof(line)) <= 0)
					return 0;
				report(now() - since);
				since = now();
			}
	}
}
