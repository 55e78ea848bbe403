/** libltc, the library under ltc-tools, Ardour and JACK: a program of a few lines around it, built where it is installed. */
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const HEADER = '/usr/include/ltc.h'
const BUILD_MS_MAX = 60_000
const RUN_MS_MAX = 60_000
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024

/** `decode` reads 16 bit samples and prints what it finds; `encode` prints 16 bit samples. */
const PROGRAM = `
#include <ltc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int decode(double rate, double fps) {
  LTCDecoder *decoder = ltc_decoder_create((int)(rate / fps), 64);
  short block[1024];
  ltc_off_t at = 0;
  size_t count;
  LTCFrameExt frame;
  while ((count = fread(block, 2, 1024, stdin)) > 0) {
    ltc_decoder_write_s16(decoder, block, count, at);
    at += count;
    while (ltc_decoder_read(decoder, &frame)) {
      SMPTETimecode code;
      ltc_frame_to_time(&code, &frame.ltc, 0);
      printf("%02d:%02d:%02d%c%02d %lld %d\\n", code.hours, code.mins, code.secs,
             frame.ltc.dfbit ? ';' : ':', code.frame, (long long)frame.off_start, frame.reverse);
    }
  }
  ltc_decoder_free(decoder);
  return 0;
}
static int encode(double rate, double fps, int isDrop, int *start, int count) {
  LTCEncoder *encoder = ltc_encoder_create(rate, fps, fps == 25 ? LTC_TV_625_50 : LTC_TV_525_60, 0);
  SMPTETimecode code;
  memset(&code, 0, sizeof code);
  strcpy(code.timezone, "+0000");
  code.hours = start[0]; code.mins = start[1]; code.secs = start[2]; code.frame = start[3];
  ltc_encoder_set_timecode(encoder, &code);
  if (isDrop) {
    LTCFrame frame;
    ltc_encoder_get_frame(encoder, &frame);
    frame.dfbit = 1;
    ltc_encoder_set_frame(encoder, &frame);
  }
  for (int at = 0; at < count; at++) {
    ltc_encoder_encode_frame(encoder);
    int length;
    ltcsnd_sample_t *samples = ltc_encoder_get_bufptr(encoder, &length, 1);
    for (int index = 0; index < length; index++) {
      short sample = (short)(((int)samples[index] - 128) * 256);
      fwrite(&sample, 2, 1, stdout);
    }
    ltc_encoder_inc_timecode(encoder);
  }
  ltc_encoder_free(encoder);
  return 0;
}
int main(int argc, char **argv) {
  double rate = atof(argv[2]), fps = atof(argv[3]);
  if (!strcmp(argv[1], "decode")) return decode(rate, fps);
  int start[4] = {atoi(argv[5]), atoi(argv[6]), atoi(argv[7]), atoi(argv[8])};
  return encode(rate, fps, atoi(argv[4]), start, atoi(argv[9]));
}
`

export interface LtcHeard {
  /** `10:00:00:00` */
  readonly text: string
  readonly fromSample: number
  readonly isReverse: boolean
}

export class Libltc {
  readonly #program: string

  /** Why it cannot be had; null when it can. */
  static missing(): string | null {
    return existsSync(HEADER) ? null : 'libltc-dev is not installed'
  }

  /** @param folder of the test's own */
  constructor(folder: string) {
    const source = join(folder, 'peer.c')
    this.#program = join(folder, 'peer')
    writeFileSync(source, PROGRAM)
    const words = ['-O1', '-o', this.#program, source, '-lltc', '-lm']
    execFileSync('gcc', ['-w', ...words], { timeout: BUILD_MS_MAX })
  }

  /** @param pcm 16 bit, little-endian */
  decode(pcm: Uint8Array, sampleRate: number, framesPerSecond: number): LtcHeard[] {
    const words = ['decode', String(sampleRate), String(framesPerSecond)]
    return this.#run(words, pcm)
      .toString('utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => {
        const [text = '', fromSample, isReverse] = line.split(' ')
        return { text, fromSample: Number(fromSample), isReverse: isReverse !== '0' }
      })
  }

  encode(options: {
    readonly sampleRate: number
    readonly framesPerSecond: number
    readonly isDropFrame: boolean
    readonly start: readonly [number, number, number, number]
    readonly count: number
  }): Uint8Array {
    const { sampleRate, framesPerSecond, isDropFrame, start, count } = options
    const numbers = [sampleRate, framesPerSecond, isDropFrame ? 1 : 0, ...start, count]
    return this.#run(['encode', ...numbers.map(String)], new Uint8Array(0))
  }

  #run(words: readonly string[], input: Uint8Array): Buffer {
    return execFileSync(this.#program, words, {
      input,
      timeout: RUN_MS_MAX,
      maxBuffer: OUTPUT_BYTES_MAX,
    })
  }
}
