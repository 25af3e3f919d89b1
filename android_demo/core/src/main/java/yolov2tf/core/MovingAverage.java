package yolov2tf.core;

/** Mean of the last few values, for times on the screen that can be read. */
public final class MovingAverage {
    private final float[] values;
    private int next;
    private int count;

    /**
     * @param length how many values count
     */
    public MovingAverage(int length) {
        values = new float[length];
    }

    public void add(float value) {
        values[next] = value;
        next = (next + 1) % values.length;
        count = Math.min(count + 1, values.length);
    }

    /** The mean; 0 before there is a value. */
    public float mean() {
        float sum = 0;
        for (int i = 0; i < count; i++) {
            sum += values[i];
        }
        return count == 0 ? 0 : sum / count;
    }

    public void clear() {
        count = 0;
        next = 0;
    }
}
