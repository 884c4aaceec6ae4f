/* SPDX-License-Identifier: Apache-2.0
 *
 * load SERVER PORT CLIENTS SECONDS CONNECTIONS ANSWER <TUN
 *
 * Each of the CLIENTS clients repeats: connect, read the answer to its end, check it, reset. Stops
 * after SECONDS or CONNECTIONS, whichever comes first (0: no limit). Prints one JSON object with
 * latencies in microseconds, from before the SYN to after the FIN.
 *
 * The clients are hosts of their own network. Standard input is a TUN device that carries their
 * packets, each after a virtio_net_hdr; their addresses follow SERVER. No client has a socket:
 * client sockets would use more of the machine than the server does, and the bench would measure
 * them. This way the kernel does the same work as for a client behind a network card. A client
 * sends SYN, ACK and RST, like a socket with SO_LINGER 0, so that no connection stays in TIME_WAIT
 * and slows the next server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define TUN STDIN_FILENO
#define FIRST_PORT 20000
#define SEQUENCE_STEP 64000 /* from one connection to the next, so that no old segment fits */

struct packet {
	struct virtio_net_hdr segment;
	struct iphdr ip;
	struct tcphdr tcp;
	char rest[2048];
} __attribute__((packed));

#define BARE offsetof(struct packet, rest)

struct client {
	in_addr_t address;
	in_port_t port;
	unsigned sequence, expects; /* of the next byte to either side */
	int connected;
	size_t got;
	double since;
	char answer[512];
};

static struct client *clients;
static int count;
static in_addr_t server;
static in_port_t server_port;
static const char *expected;
static size_t length;
static unsigned *latencies;
static size_t done, room, bad;
static double end_time;
static long tickets;
static int busy;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static unsigned short ip_checksum(const void *header)
{
	unsigned short words[sizeof(struct iphdr) / 2];
	unsigned sum = 0;

	memcpy(words, header, sizeof words);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

/* Of TCP's checksum nothing has to be right: NEEDS_CSUM says that it is still to be made. */
static void put(const struct client *c, int flags)
{
	struct packet p = {
	    .segment = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	                .csum_start = sizeof p.ip,
	                .csum_offset = offsetof(struct tcphdr, check)},
	    .ip = {.version = IPVERSION,
	           .ihl = sizeof p.ip / 4,
	           .tot_len = htons(sizeof p.ip + sizeof p.tcp),
	           .frag_off = htons(IP_DF),
	           .ttl = IPDEFTTL,
	           .protocol = IPPROTO_TCP,
	           .saddr = htonl(c->address),
	           .daddr = htonl(server)},
	    .tcp = {.th_sport = htons(c->port),
	            .th_dport = htons(server_port),
	            .th_seq = htonl(c->sequence),
	            .th_ack = htonl(c->expects),
	            .th_off = sizeof p.tcp / 4,
	            .th_flags = flags,
	            .th_win = htons(65535)},
	};

	p.ip.check = ip_checksum(&p.ip);
	if (write(TUN, &p, BARE) != BARE) {
		perror("load: write");
		exit(1);
	}
}

static void begin(struct client *c)
{
	c->since = now();
	c->port = c->port < FIRST_PORT || c->port == 65535 ? FIRST_PORT : c->port + 1;
	c->sequence += SEQUENCE_STEP;
	c->expects = 0;
	c->connected = 0;
	c->got = 0;
	put(c, TH_SYN);
}

static void record(double seconds)
{
	if (done == room) {
		room = room ? 2 * room : 65536;
		latencies = realloc(latencies, room * sizeof *latencies);
		if (!latencies)
			exit(1);
	}
	latencies[done++] = seconds * 1e6;
}

static void end(struct client *c, int well)
{
	if (well && c->got == length && !memcmp(c->answer, expected, length))
		record(now() - c->since);
	else
		bad++;
	if (now() < end_time && tickets > 0) {
		tickets--;
		begin(c);
	} else {
		c->port = 0;
		busy--;
	}
}

/* Whose packet it is: NULL if nobody's, or of a connection that is over. */
static struct client *addressee(const struct packet *p, ssize_t size)
{
	struct client *c;
	in_addr_t number;

	if (size < (ssize_t)BARE || p->ip.version != IPVERSION || p->ip.protocol != IPPROTO_TCP)
		return NULL;
	number = ntohl(p->ip.daddr) - server - 1;
	if (number >= (in_addr_t)count)
		return NULL;
	c = &clients[number];
	if (ntohs(p->tcp.th_dport) != c->port || ntohs(p->tcp.th_sport) != server_port ||
	    ntohl(p->tcp.th_ack) != c->sequence + !c->connected)
		return NULL;
	return c;
}

static void take(struct client *c, const struct packet *p)
{
	size_t head = p->tcp.th_off * 4, size = ntohs(p->ip.tot_len) - sizeof p->ip - head;

	if (p->tcp.th_flags & TH_RST) {
		end(c, 0);
	} else if (!c->connected && p->tcp.th_flags & TH_SYN) {
		c->connected = 1;
		c->sequence++;
		c->expects = ntohl(p->tcp.th_seq) + 1;
		put(c, TH_ACK);
	} else if (c->connected && ntohl(p->tcp.th_seq) == c->expects) {
		if (c->got + size <= sizeof c->answer)
			memcpy(c->answer + c->got, (const char *)&p->tcp + head, size);
		c->got += size;
		c->expects += size;
		if (p->tcp.th_flags & TH_FIN) {
			c->expects++;
			put(c, TH_RST | TH_ACK);
			end(c, 1);
		}
	}
}

static int ascending(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct pollfd readable = {.fd = TUN, .events = POLLIN};
	struct rusage usage;
	double began = now(), took;

	if (argc != 7)
		return 2;
	server = ntohl(inet_addr(argv[1]));
	server_port = atoi(argv[2]);
	count = atoi(argv[3]);
	end_time = began + (atof(argv[4]) > 0 ? atof(argv[4]) : 3600);
	tickets = atol(argv[5]) ? atol(argv[5]) : 1L << 60;
	expected = argv[6];
	length = strlen(expected);
	clients = calloc(count, sizeof *clients);
	for (; busy < count && tickets > 0; busy++, tickets--) {
		clients[busy].address = server + 1 + busy;
		clients[busy].sequence = began * 1e6; /* unlike that of the run before */
		begin(&clients[busy]);
	}
	while (busy && now() < end_time + 5) { /* whoever has no answer by then gets none */
		struct packet p;
		struct client *c;
		ssize_t size;

		poll(&readable, 1, 1000);
		while ((size = read(TUN, &p, sizeof p)) > 0)
			if ((c = addressee(&p, size)))
				take(c, &p);
		if (errno != EAGAIN) {
			perror("load: read");
			return 1;
		}
	}
	bad += busy;
	took = now() - began;
	qsort(latencies, done, sizeof *latencies, ascending);
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"connections\": %zu, \"bad\": %zu, \"seconds\": %.6f, \"p50_us\": %u, "
	       "\"p99_us\": %u, \"cpu_seconds\": %.6f}\n",
	       done, bad, took, done ? latencies[done / 2] : 0,
	       done ? latencies[done * 99 / 100] : 0,
	       usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
	           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	return bad != 0;
}
