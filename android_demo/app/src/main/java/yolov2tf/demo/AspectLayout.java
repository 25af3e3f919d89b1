package yolov2tf.demo;

import android.content.Context;
import android.util.AttributeSet;
import android.widget.FrameLayout;

/** As large as it can be with the aspect of what it shows: a camera's preview fills its surface. */
public final class AspectLayout extends FrameLayout {
    private float aspect; // width by height; 0 while nothing is known

    public AspectLayout(Context context, AttributeSet attributes) {
        super(context, attributes);
    }

    void setAspect(int width, int height) {
        aspect = (float) width / height;
        requestLayout();
    }

    @Override
    protected void onMeasure(int widthSpec, int heightSpec) {
        int width = MeasureSpec.getSize(widthSpec);
        int height = MeasureSpec.getSize(heightSpec);
        if (aspect > 0 && width > 0 && height > 0) {
            if (width > height * aspect) {
                width = Math.round(height * aspect);
            } else {
                height = Math.round(width / aspect);
            }
        }
        super.onMeasure(MeasureSpec.makeMeasureSpec(width, MeasureSpec.EXACTLY),
                MeasureSpec.makeMeasureSpec(height, MeasureSpec.EXACTLY));
    }
}
