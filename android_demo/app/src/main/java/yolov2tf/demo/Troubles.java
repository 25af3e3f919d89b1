package yolov2tf.demo;

import android.content.Context;

/** What is the matter, null for nothing; and the notice, which says the most important of it. */
final class Troubles {
    String model;
    String camera;
    String picture;

    private final Context context;
    private final Notice notice;

    Troubles(Context context, Notice notice) {
        this.context = context;
        this.notice = notice;
    }

    /** Says it, or nothing. */
    void tell(PictureSource pictures, CameraPermission permission) {
        if (pictures.isOpening()) {
            int percent = pictures.percent();
            notice.progress(percent < 0 ? context.getString(R.string.opening)
                    : context.getString(R.string.opening_percent, percent),
                    percent, R.string.cancel, pictures::close);
        } else if (picture != null) {
            notice.say(picture, R.string.dismiss, () -> {
                picture = null;
                tell(pictures, permission);
            });
        } else if (model != null) {
            notice.say(model);
        } else if (pictures.shown() != null) {
            notice.hush();
        } else if (permission.refused()) {
            boolean ask = permission.mayAsk();
            notice.say(context.getString(R.string.camera_denied),
                    ask ? R.string.allow_camera : R.string.open_settings,
                    ask ? permission::ask : permission::openSettings);
        } else if (camera != null) {
            notice.say(camera);
        } else {
            notice.hush();
        }
    }
}
