/*
 * Asks a time server on this machine as often as it answers: `ntp-load PORT SECONDS IN_FLIGHT`. So many questions are under
 * way at once; each answer brings the next question, and one that does not come within a second counts as lost. It asks
 * 127.0.0.1 and nobody else. It says: answers, answers a second, lost.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static uint64_t number = 1;

static void ask(int fd) {
  unsigned char question[48] = {0x23};
  memcpy(question + 40, &number, sizeof number);
  number++;
  if (send(fd, question, sizeof question, 0) < 0) perror("send");
}

int main(int count, char **words) {
  if (count != 4) return fprintf(stderr, "ntp-load PORT SECONDS IN_FLIGHT\n"), 2;
  int port = atoi(words[1]), seconds = atoi(words[2]), in_flight = atoi(words[3]);
  if (port < 1 || port > 65535 || seconds < 1 || seconds > 60 || in_flight < 1 || in_flight > 256)
    return fprintf(stderr, "1..65535, 1..60 seconds, 1..256 in flight\n"), 2;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port)};
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) < 0) return perror("connect"), 1;
  double begun = now(), end = begun + seconds, moment = begun;
  uint64_t answers = 0, lost = 0;
  for (int i = 0; i < in_flight; i++) ask(fd);
  while ((moment = now()) < end) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, 1000) == 0) {
      lost += in_flight;
      for (int i = 0; i < in_flight; i++) ask(fd);
      continue;
    }
    unsigned char answer[512];
    for (ssize_t size; (size = recv(fd, answer, sizeof answer, MSG_DONTWAIT)) >= 0;) {
      if (size < 48 || (answer[0] & 7) != 4 || answer[1] == 0) continue;
      answers++;
      ask(fd);
    }
  }
  printf("%llu %.0f %llu\n", (unsigned long long)answers, answers / (now() - begun), (unsigned long long)lost);
  return 0;
}
