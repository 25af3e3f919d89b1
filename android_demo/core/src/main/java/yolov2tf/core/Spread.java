package yolov2tf.core;

import java.util.Arrays;

/** How times of many runs lie: by nearest rank, so that each is a time that was measured. */
public final class Spread {
    /** Half of the runs take no longer. */
    public final float median;
    /** 19 of 20 runs take no longer. */
    public final float p95;

    /**
     * @param times of the runs, at least one; not changed
     */
    public Spread(float[] times) {
        if (times.length == 0) {
            throw new IllegalArgumentException("no run, no time");
        }
        float[] sorted = times.clone();
        Arrays.sort(sorted);
        median = rank(sorted, 50);
        p95 = rank(sorted, 95);
    }

    private static float rank(float[] sorted, int percent) {
        return sorted[Math.max((percent * sorted.length + 99) / 100 - 1, 0)];
    }
}
