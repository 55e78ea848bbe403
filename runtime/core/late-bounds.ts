/** Bounds of the histograms of lateness, in milliseconds: what a person cannot see, a frame of video, and worse. */
export const lateBoundsMs = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250] as const
