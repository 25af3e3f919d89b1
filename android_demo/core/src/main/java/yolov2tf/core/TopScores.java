package yolov2tf.core;

/** The best of many scores with their places, in a heap that never grows. */
final class TopScores {
    private final long[] heap; // the worst of those kept is at 0
    private int count;

    TopScores(int capacity) {
        heap = new long[capacity];
    }

    void clear() {
        count = 0;
    }

    int count() {
        return count;
    }

    /** Place of the i-th best, after {@link #sort}. */
    int index(int i) {
        return (int) ~heap[i];
    }

    /** Keeps a score (0 or above) if it is among the best; of equal ones the earlier place wins. */
    void offer(float score, int index) {
        // Bits of positive floats are in the order of the floats.
        long entry = (long) Float.floatToRawIntBits(score) << 32 | ~index & 0xFFFFFFFFL;
        if (count < heap.length) {
            heap[count] = entry;
            rise(count++);
        } else if (entry > heap[0]) {
            heap[0] = entry;
            sink(0, count);
        }
    }

    /** Brings the best to the front. Afterwards only {@link #index} may be asked. */
    void sort() {
        for (int end = count - 1; end > 0; end--) {
            swap(0, end);
            sink(0, end);
        }
    }

    private void rise(int child) {
        for (int parent; child > 0 && heap[child] < heap[parent = (child - 1) / 2]; ) {
            swap(child, parent);
            child = parent;
        }
    }

    private void sink(int parent, int end) {
        for (int child; (child = 2 * parent + 1) < end; parent = child) {
            if (child + 1 < end && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[parent] <= heap[child]) {
                return;
            }
            swap(parent, child);
        }
    }

    private void swap(int a, int b) {
        long entry = heap[a];
        heap[a] = heap[b];
        heap[b] = entry;
    }
}
