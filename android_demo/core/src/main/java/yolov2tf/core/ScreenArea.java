package yolov2tf.core;

/** The part of a view that a picture fills: as large as it can be, whole, in the middle. */
public final class ScreenArea {
    private float left;
    private float top;
    private float width;
    private float height;
    private boolean mirrored;

    /**
     * Fits a picture into a view.
     *
     * @param pictureWidth width of the picture, in any unit
     * @param pictureHeight height of the picture, in the same unit
     * @param viewWidth width of the view in pixels
     * @param viewHeight height of the view in pixels
     * @param mirrored whether the screen shows it mirrored, as a front camera's preview is
     */
    public void fit(
            float pictureWidth,
            float pictureHeight,
            float viewWidth,
            float viewHeight,
            boolean mirrored) {
        float scale = Math.min(viewWidth / pictureWidth, viewHeight / pictureHeight);
        width = pictureWidth * scale;
        height = pictureHeight * scale;
        left = (viewWidth - width) / 2;
        top = (viewHeight - height) / 2;
        this.mirrored = mirrored;
    }

    /** Pixel of a place given as a fraction of the picture's width. */
    public float x(float fraction) {
        return left + width * (mirrored ? 1 - fraction : fraction);
    }

    /** Pixel of a place given as a fraction of the picture's height. */
    public float y(float fraction) {
        return top + height * fraction;
    }

    public boolean mirrored() {
        return mirrored;
    }

    public float width() {
        return width;
    }

    public float height() {
        return height;
    }
}
