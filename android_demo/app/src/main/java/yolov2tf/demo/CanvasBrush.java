package yolov2tf.demo;

import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.Typeface;
import yolov2tf.core.Brush;

/** Draws on one of Android's canvases, the screen's or a picture's. */
final class CanvasBrush implements Brush {
    private final Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG);
    private Canvas canvas;

    CanvasBrush() {
        paint.setTypeface(Typeface.DEFAULT_BOLD);
    }

    /** Where it draws from now on; null for nowhere. */
    void setCanvas(Canvas target) {
        canvas = target;
    }

    @Override
    public void outline(float left, float top, float right, float bottom, float thickness,
            int argb) {
        paint.setStyle(Paint.Style.STROKE);
        paint.setStrokeWidth(thickness);
        paint.setColor(argb);
        canvas.drawRect(left, top, right, bottom, paint);
    }

    @Override
    public void fill(float left, float top, float right, float bottom, int argb) {
        paint.setStyle(Paint.Style.FILL);
        paint.setColor(argb);
        canvas.drawRect(left, top, right, bottom, paint);
    }

    @Override
    public void write(String text, float left, float baseline, float size, int argb) {
        paint.setStyle(Paint.Style.FILL);
        paint.setColor(argb);
        paint.setTextSize(size);
        canvas.drawText(text, left, baseline, paint);
    }

    @Override
    public float widthOf(String text, float size) {
        paint.setTextSize(size);
        return paint.measureText(text);
    }
}
