package yolov2tf.core;

/** How camera frames must be turned to be upright on the screen. */
public final class Orientation {
    private Orientation() {}

    /**
     * Degrees clockwise that turn a frame upright.
     *
     * @param sensor {@code SENSOR_ORIENTATION} of the camera: 0, 90, 180 or 270
     * @param display rotation of the screen from its natural orientation: 0, 90, 180 or 270
     * @param front whether the camera looks at the user
     */
    public static int upright(int sensor, int display, boolean front) {
        return front ? (sensor + display) % 360 : (sensor - display + 360) % 360;
    }
}
