/* SPDX-License-Identifier: Apache-2.0
 *
 * accept_loop PORT ANSWER
 *
 * The reference: one thread that accepts, sends and closes, and does nothing else.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
	size_t length = strlen(argv[2]);
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (void *)&any, sizeof any) || listen(listener, 4096))
		return 1;
	for (;;) {
		int connection = accept(listener, NULL, NULL);
		if (connection < 0)
			continue;
		send(connection, argv[2], length, MSG_NOSIGNAL);
		close(connection);
	}
}
