package yolov2tf.core;

/** Width and height of camera frames. */
public final class FrameSize {
    public final int width;
    public final int height;

    public FrameSize(int width, int height) {
        this.width = width;
        this.height = height;
    }

    /**
     * Chooses the size nearest to a wanted one in area; of equally near ones the first.
     *
     * <p>Frames larger than the network's input cost time and show nothing more.
     *
     * @param sizes what the camera offers
     * @param wanted what would be best
     * @return one of {@code sizes}, or null if there is none
     */
    public static FrameSize nearest(Iterable<FrameSize> sizes, FrameSize wanted) {
        FrameSize best = null;
        for (FrameSize size : sizes) {
            if (best == null || size.distance(wanted) < best.distance(wanted)) {
                best = size;
            }
        }
        return best;
    }

    private double distance(FrameSize other) {
        double area = Math.log((double) width * height / other.width / other.height);
        double aspect = Math.log((double) width * other.height / height / other.width);
        return Math.abs(area) + Math.abs(aspect);
    }
}
